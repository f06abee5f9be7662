package guestimage

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// newImage writes an image, which nobody boots, and its manifest. Of its engine no taskmanager knows.
func newImage(t *testing.T, change ...func(*manifest)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "coffer-guest-v0.qcow2")
	require.NoError(t, os.WriteFile(path, []byte("QFI\xfb"+rand.Text()), 0o600))
	sum, err := sumOf(path)
	require.NoError(t, err)
	m := manifest{Name: "coffer-guest", Version: "v0", Engines: map[string]string{"testdb": "9.9.1"}, DiskMiB: 1025, SHA512: sum}
	for _, c := range change {
		c(&m)
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(manifestPath(path), text, 0o600))
	return path
}

func TestAnImageIsHeldAgainstItsManifest(t *testing.T) {
	_, err := readManifest(newImage(t))
	require.NoError(t, err)
	_, err = readManifest(newImage(t, func(m *manifest) { m.SHA512 = "another" }))
	require.ErrorContains(t, err, "its SHA-512 is another")
	_, err = readManifest(newImage(t, func(m *manifest) { *m = manifest{Engines: map[string]string{"testdb": ""}} }))
	for _, missing := range []string{"name", "version", "sha512", "testdb", "disk_mib"} {
		require.ErrorContains(t, err, missing)
	}
	_, err = readManifest(filepath.Join(t.TempDir(), "none.qcow2"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// registry is that of the test bed.
func registry(t *testing.T) *Registry {
	t.Helper()
	if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
		t.Skip("needs the OpenStack of deploy/openstack: make test-openstack")
	}
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`clouds:
  bed:
    auth: {auth_url: "http://127.0.0.1:5000/v3", username: admin, password: lab, project_name: admin, user_domain_id: default, project_domain_id: default}
    region_name: RegionOne
`), 0o600))
	t.Setenv("OS_CLIENT_CONFIG_FILE", file)
	r, err := Open(t.Context(), client.Login{Cloud: "bed"})
	require.NoError(t, err)
	return r
}

func (r *Registry) remove(t *testing.T, id string) {
	t.Helper()
	require.NoError(t, images.Delete(t.Context(), r.api, id).ExtractErr())
}

func TestAnImageIsRegisteredOnce(t *testing.T) {
	r, file := registry(t), newImage(t)
	first, err := r.Register(t.Context(), file, Visibilities[0])
	require.NoError(t, err)
	defer r.remove(t, first.ID)
	assert.True(t, first.Uploaded)
	again, err := r.Register(t.Context(), file, Visibilities[0])
	require.NoError(t, err)
	assert.Equal(t, Registered{ID: first.ID, Name: "coffer-guest-v0", Engines: map[string]string{"testdb": "9.9.1"}}, again)

	image, err := images.Get(t.Context(), r.api, first.ID).Extract()
	require.NoError(t, err)
	assert.Equal(t, images.ImageStatusActive, image.Status)
	assert.ElementsMatch(t, []string{"coffer", "testdb"}, image.Tags)
	assert.Equal(t, "9.9.1", image.Properties["coffer_testdb"])
	assert.Equal(t, "60", image.Properties["os_shutdown_timeout"])
	assert.Equal(t, 2, image.MinDiskGigabytes)

	// One with the same version and other content is another image, and the former stays.
	next, err := r.Register(t.Context(), newImage(t), Visibilities[0])
	require.NoError(t, err)
	defer r.remove(t, next.ID)
	assert.NotEqual(t, first.ID, next.ID)
}

func TestAnInterruptedUploadIsBegunAgain(t *testing.T) {
	r, file := registry(t), newImage(t)
	m, err := readManifest(file)
	require.NoError(t, err)
	begun, err := images.Create(t.Context(), r.api, describe(m, images.ImageVisibilityPrivate)).Extract()
	require.NoError(t, err)
	defer r.remove(t, begun.ID)
	registered, err := r.Register(t.Context(), file, Visibilities[0])
	require.NoError(t, err)
	assert.Equal(t, begun.ID, registered.ID)
	assert.True(t, registered.Uploaded)
}
