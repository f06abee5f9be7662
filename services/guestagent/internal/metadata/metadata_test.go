package metadata_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/metadata"
)

const (
	user    = `{"coffer_guest":1}`
	network = `{"links":[]}`
)

// tree is what a config drive holds.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for path, text := range files {
		path = filepath.Join(folder, "openstack/latest", path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return folder
}

func both() map[string]string {
	return map[string]string{"user_data": user, "network_data.json": network, "meta_data.json": "{}"}
}

// machine is a /sys with one disk, whose /dev has a loop device for it.
func machine(t *testing.T, image string) (sys, dev string) {
	t.Helper()
	sys, dev = t.TempDir(), t.TempDir()
	device := run(t, "losetup", "--find", "--show", "--read-only", image)
	t.Cleanup(func() { _ = exec.Command("losetup", "--detach", device).Run() })
	require.NoError(t, os.MkdirAll(filepath.Join(sys, "block/vdb"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(sys, "block/vda/vda1"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(sys, "block/vda/vda1/partition"), []byte("1\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dev, "vda"), make([]byte, 64<<10), 0o600))
	require.NoError(t, os.Symlink(device, filepath.Join(dev, "vdb")))
	return sys, dev
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
	return strings.TrimSpace(string(out))
}

func asRootWith(t *testing.T, program string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("there is no %s to make a drive with", program)
	}
}

func makeISO(t *testing.T, volume string, files map[string]string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "drive.iso")
	run(t, "genisoimage", "-quiet", "-o", image, "-V", volume, "-J", "-r", "-allow-lowercase", "-ldots", tree(t, files))
	return image
}

func TestAConfigDriveOfEitherKindIsRead(t *testing.T) {
	t.Run("iso9660", func(t *testing.T) {
		asRootWith(t, "genisoimage")
		data, err := metadata.FromDrive(machine(t, makeISO(t, "config-2", both())))
		require.NoError(t, err)
		assert.Equal(t, metadata.Data{User: []byte(user), Network: []byte(network)}, data)
	})
	t.Run("vfat", func(t *testing.T) {
		if known, err := os.ReadFile("/proc/filesystems"); err != nil || !strings.Contains(string(known), "vfat") {
			t.Skip("this kernel knows no vfat; that of the guest image does")
		}
		asRootWith(t, "mkfs.vfat")
		asRootWith(t, "mcopy")
		image := filepath.Join(t.TempDir(), "drive")
		require.NoError(t, os.WriteFile(image, nil, 0o600))
		require.NoError(t, os.Truncate(image, 64<<20)) // Nova's size
		run(t, "mkfs.vfat", "-n", "config-2", image)
		run(t, "mcopy", "-s", "-i", image, filepath.Join(tree(t, both()), "openstack"), "::")
		data, err := metadata.FromDrive(machine(t, image))
		require.NoError(t, err)
		assert.Equal(t, metadata.Data{User: []byte(user), Network: []byte(network)}, data)
	})
}

func TestADriveWithAnotherLabelIsNone(t *testing.T) {
	asRootWith(t, "genisoimage")
	_, err := metadata.FromDrive(machine(t, makeISO(t, "install-disk", both())))
	assert.ErrorIs(t, err, metadata.ErrNone)
}

func TestADriveWithoutUserDataIsAFault(t *testing.T) {
	asRootWith(t, "genisoimage")
	_, err := metadata.FromDrive(machine(t, makeISO(t, "config-2", map[string]string{"meta_data.json": "{}"})))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "user_data")
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "config-drive-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestTheServiceIsAsked(t *testing.T) {
	files := map[string]string{"user_data": user}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, there := files[strings.TrimPrefix(r.URL.Path, "/openstack/latest/")]
		switch {
		case text == "busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case !there:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(text))
		}
	}))
	t.Cleanup(service.Close)

	data, err := metadata.FromService(t.Context(), service.URL)
	require.NoError(t, err)
	assert.Equal(t, metadata.Data{User: []byte(user)}, data)
	files["network_data.json"] = network
	data, err = metadata.FromService(t.Context(), service.URL)
	require.NoError(t, err)
	assert.JSONEq(t, network, string(data.Network))

	files["user_data"] = "busy"
	_, err = metadata.FromService(t.Context(), service.URL)
	require.ErrorContains(t, err, "503")
	require.NotErrorIs(t, err, metadata.ErrNone)
	delete(files, "user_data")
	_, err = metadata.FromService(t.Context(), service.URL)
	require.ErrorIs(t, err, metadata.ErrNone)
	files["user_data"] = strings.Repeat("x", 2<<20)
	_, err = metadata.FromService(t.Context(), service.URL)
	require.ErrorContains(t, err, "more than")
}
