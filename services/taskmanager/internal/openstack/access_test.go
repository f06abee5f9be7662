package openstack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func TestNetworksAreMergedIntoTheShortestListThatHoldsThemAll(t *testing.T) {
	for _, c := range []struct{ given, want []string }{
		{nil, []string{"0.0.0.0/0", "::/0"}},
		{[]string{"192.0.2.7/24"}, []string{"192.0.2.0/24"}},
		{[]string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"}, []string{"10.0.0.0/8"}},
		{[]string{"10.0.1.0/24", "10.0.0.0/24"}, []string{"10.0.0.0/23"}},
		{[]string{"10.0.3.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.0.0/24"}, []string{"10.0.0.0/22"}},
		{[]string{"10.0.1.0/24", "10.0.2.0/24"}, []string{"10.0.1.0/24", "10.0.2.0/24"}},
		{[]string{"0.0.0.0/1", "128.0.0.0/1", "::/0"}, []string{"0.0.0.0/0", "::/0"}},
		{[]string{"2001:db8:1::/48", "2001:db8::/48"}, []string{"2001:db8::/47"}},
	} {
		got, err := merged(c.given)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, "of %v", c.given)
	}
	_, err := merged([]string{"10.0.0.1"})
	assert.True(t, errs.IsKind(err, errs.Invalid))
}
