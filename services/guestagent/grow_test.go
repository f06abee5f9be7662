package guestagent_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

func TestAPlainFolderGrowsWithItsLimit(t *testing.T) {
	m := prepared(t)
	m.server.VolumeLimitBytes = 2 << 30
	m.writeSettings()
	require.NoError(t, m.growVolume())
	m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetVolume().GetTotalBytes() == 2<<30 })
}

func TestAFileSystemGrowsWithItsDeviceWhileTheDatabaseWrites(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root mounts; the run as root has shown it
	}
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			disk := newDisk(t, kind)
			m := newMachine(t, func(s *settings.Server) { s.VolumeLimitBytes = 0 })
			disk.mount(m.server.DataDir)
			m.startAgent()
			m.enroll()
			m.prepare()
			before := m.awaitMeasured()
			_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), "CREATE TABLE ledger (n INT PRIMARY KEY, writer INT)")
			require.NoError(t, err)
			l := writeTo(t, 1, m)
			l.written(5)
			disk.grow()
			if kind == "ext4" && !mayExceedResources(t) {
				assert.True(t, errs.IsReason(m.growVolume(), "VOLUME_FIXED"))
				return
			}
			for range 2 {
				require.NoError(t, m.growVolume())
			}
			m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetVolume().GetTotalBytes() > before+before/4 })
			l.written(5)
			l.stop()
			l.holds(m)
			assert.EqualValues(t, 1, m.status().GetStarts())
		})
	}
}

func TestAConfigurationHoldsFromTheNextStart(t *testing.T) {
	m := prepared(t)
	pool := func() (bytes int64) {
		m.t.Helper()
		err := m.connect("ann", password, "app").QueryRowContext(m.ctx(), "SELECT @@innodb_buffer_pool_size").Scan(&bytes)
		require.NoError(m.t, err)
		return bytes
	}
	before := pool()
	require.NoError(t, outcome(m.client().ConfigureDatabase(m.ctx(), &guestagentv1.ConfigureDatabaseRequest{
		Operation: newOperation(), Ram: 1024,
	})))
	assert.Equal(t, before, pool())
	require.NoError(t, m.restart("task-1/restart", 1))
	assert.Greater(t, pool(), 2*before)
}

// mayExceedResources says whether root here has CAP_SYS_RESOURCE, which a container may withhold.
func mayExceedResources(t *testing.T) bool {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &data[0]))
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

func (m *machine) growVolume() error {
	return outcome(m.client().GrowVolume(m.ctx(), &guestagentv1.GrowVolumeRequest{Operation: newOperation()}, grpc.WaitForReady(true)))
}

func (m *machine) awaitMeasured() (total uint64) {
	m.await(func(s *guestagentv1.DatabaseStatus) bool {
		total = s.GetVolume().GetTotalBytes()
		return total > 0
	})
	return total
}

// disk is a file that is a device.
type disk struct {
	t            *testing.T
	file, device string
}

const diskMiB = 512

func newDisk(t *testing.T, kind string) *disk {
	t.Helper()
	d := &disk{t: t, file: filepath.Join(t.TempDir(), "disk")}
	require.NoError(t, os.WriteFile(d.file, nil, 0o600))
	require.NoError(t, os.Truncate(d.file, diskMiB<<20))
	d.run("/sbin/mkfs."+kind, "-q", d.file)
	d.device = d.run("/sbin/losetup", "--find", "--show", d.file)
	t.Cleanup(func() { d.run("/sbin/losetup", "--detach", d.device) })
	return d
}

// mount mounts the disk until the test ends. What uses it is killed after that, and the file system is gone then.
func (d *disk) mount(at string) {
	d.t.Helper()
	d.run("/bin/mount", d.device, at)
	d.t.Cleanup(func() { d.run("/bin/umount", "--lazy", at) })
}

// grow does what the provider does.
func (d *disk) grow() {
	d.t.Helper()
	require.NoError(d.t, os.Truncate(d.file, 2*diskMiB<<20))
	d.run("/sbin/losetup", "--set-capacity", d.device)
}

func (d *disk) run(program string, args ...string) string {
	d.t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(d.t, err, "%s: %s", program, out)
	return strings.TrimSpace(string(out))
}
