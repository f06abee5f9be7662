package e2e_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// imageVariable names the guest image's file; without it no machine is made.
	imageVariable = "COFFER_TEST_IMAGE"
	// machineZone is that of the bed's host with QEMU.
	machineZone = "kvm"
	// machinePatience bounds each wait for a machine. It is emulated, on a computer that has other things to do.
	machinePatience = 8 * time.Minute
)

// TestOpenStackMachines goes through a database's life in real machines of the guest image, as an operator and a
// tenant would: nothing of this host is in them.
func TestOpenStackMachines(t *testing.T) {
	b := openLab(t)
	file := os.Getenv(imageVariable)
	if file == "" {
		t.Skipf("%s does not name a guest image; make image builds one, make test-openstack tries it", imageVariable)
	}
	before := b.inventory()
	image := b.registerImage(file)
	// It would be what all others are built from.
	t.Cleanup(func() {
		b.deleteImage(image)
		assert.Equal(t, before, b.inventory())
	})
	s := b.serve(withEnv("COFFER_TASKMANAGER_OPENSTACK_AVAILABILITY_ZONE=" + machineZone))
	s.patience = machinePatience
	t.Run("each engine", func(t *testing.T) {
		forEachDatastore(t, func(t *testing.T, d datastore) {
			began := time.Now()
			made := newSiteOn(t, d, s)
			t.Logf("created and written to %.0f s after it was ordered", time.Since(began).Seconds())
			made.goThrough([]part{
				{"restart", func(s *site) { s.user.awaitSuccess(s.user.restart(s.id)) }},
				{"resize volume", testResizeVolumeOnOpenStack},
				{"reboot", func(s *site) { s.managed(map[string]any{"reboot": map[string]any{}}) }},
				{"hard restart", func(s *site) {
					s.user.awaitSuccess(s.ddm(map[string]any{"restart": map[string]any{"type": "hard"}}).JobID)
				}},
				{"rebuild", func(s *site) { s.managed(map[string]any{"rebuild": map[string]any{"image_id": image}}) }},
			})
			made.user.awaitSuccess(made.user.delete(made.id))
			assert.Equal(t, http.StatusNotFound, made.user.call(http.MethodGet, "/instances/"+made.id, nil).code)
		})
	})
}

// registerImage uploads the guest image as an operator does, and answers with its id.
func (b *lab) registerImage(file string) string {
	b.t.Helper()
	clouds, err := filepath.Abs(filepath.Join(labFolder, "clouds.yaml"))
	require.NoError(b.t, err)
	command := exec.CommandContext(b.t.Context(), filepath.Join(programs, "coffer"),
		"--os-cloud", "bed-coffer", "image", "register", "--file", file)
	command.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+clouds)
	output, err := command.CombinedOutput()
	require.NoError(b.t, err, string(output))
	b.t.Log(string(output))
	words := strings.Fields(string(output))
	require.Greater(b.t, len(words), 2)
	return words[2]
}

func (b *lab) deleteImage(id string) {
	b.t.Helper()
	glance, err := openstack.NewImageV2(b.client, b.at)
	require.NoError(b.t, err)
	require.NoError(b.t, images.Delete(context.WithoutCancel(b.t.Context()), glance, id).ExtractErr())
}
