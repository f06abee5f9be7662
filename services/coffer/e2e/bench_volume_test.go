package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const gib = 1 << 30

// volumeByHand is a file system in a file, mounted in a folder, as an instance's volume is.
type volumeByHand struct {
	b                           *testing.B
	image, folder, kind, device string
}

func newVolumeByHand(b *testing.B, folder, kind string) *volumeByHand {
	b.Helper()
	v := &volumeByHand{b: b, image: folder + ".image", folder: folder, kind: kind}
	require.NoError(b, os.WriteFile(v.image, nil, 0o600))
	require.NoError(b, os.Truncate(v.image, gib))
	v.run("mkfs."+kind, "-q", v.image)
	v.run("mount", "-o", "loop,noatime", v.image, folder)
	v.device = mountOf(b, folder)[0]
	return v
}

// grow makes the volume so many GiB large while it is used.
func (v *volumeByHand) grow(size int) {
	v.b.Helper()
	require.NoError(v.b, os.Truncate(v.image, int64(size)*gib))
	v.run("losetup", "-c", v.device)
	if v.kind == "xfs" {
		v.run("xfs_growfs", v.folder)
	} else {
		v.run("resize2fs", v.device)
	}
}

func (v *volumeByHand) run(program string, args ...string) {
	v.b.Helper()
	output, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(v.b, err, "%s: %s", program, output)
}

// data is where the volume is.
func (m machine) data() string {
	m.t.Helper()
	data, err := filepath.EvalSymlinks(filepath.Join(m.folder, "data"))
	require.NoError(m.t, err)
	return data
}

// mountOf is what /proc/mounts says of a mount point: device, place, kind and options.
func mountOf(t testing.TB, folder string) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[1] == folder {
			return fields
		}
	}
	require.FailNow(t, "nothing is mounted at "+folder)
	return nil
}
