package e2e_test

import (
	"context"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOpenStackUpgrade rebuilds the server from the image of a newer version, around a volume with data of the older one.
func TestOpenStackUpgrade(t *testing.T) {
	needOpenStack(t)
	root := rootFolder(t)
	openLab(t).offer(root)
	onLab(t, func(t *testing.T, b *lab, d datastore) {
		s, older, newer := newOlderOn(t, d, b.serve())
		testUpgrade(s, older, newer)
		s.user.awaitSuccess(s.user.delete(s.id))
	})
}

// offer adds an image to the bed, until the test ends, whose namespaces have a root folder's engines in place of this
// host's.
func (b *lab) offer(root string) {
	b.t.Helper()
	properties := map[string]string{"lab_root": root}
	for _, d := range everyDatastore {
		versions, err := d.versionsIn(root)
		require.NoError(b.t, err)
		require.Len(b.t, versions, 1, d.name)
		properties["coffer_"+d.name] = versions[0]
	}
	id := b.makeImage("coffer-root", properties)
	b.t.Cleanup(func() {
		assert.NoError(b.t, images.Delete(context.WithoutCancel(b.t.Context()), b.glance(), id).ExtractErr())
	})
}
