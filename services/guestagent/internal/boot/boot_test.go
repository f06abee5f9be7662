package boot_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/firstboot"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/boot"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

const networkData = `{"links": [
	{"id": "a", "mtu": 1500, "ethernet_mac_address": "fa:16:3e:00:00:01"}, {"id": "b", "mtu": 1500, "ethernet_mac_address": "fa:16:3e:00:00:02"}],
	"networks": [
	{"id": "network0", "type": "ipv4", "link": "a", "ip_address": "10.20.0.5", "netmask": "255.255.0.0",
		"routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.20.0.1"}]},
	{"id": "network1", "type": "ipv4", "link": "b", "ip_address": "10.30.0.7", "netmask": "255.255.0.0", "routes": []}]}`

// bench is a machine: a network namespace of its own, a disk for the volume, and a metadata service.
type bench struct {
	*testing.T

	machine  boot.Machine
	guest    firstboot.Guest
	metadata map[string]string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root sets networks and mounts volumes")
	}
	dir := t.TempDir()
	b := &bench{T: t, guest: firstboot.Guest{
		InstanceID: "4f9f1d3e-0000-4000-8000-000000000000", VolumeID: "0d9a6c1f-9e2b-4d1c-8f57-2f8d4a3f6b1e",
		Address: netip.MustParseAddr("10.20.0.5"), ManagementAddress: netip.MustParseAddr("10.30.0.7"), AgentPort: 8781,
		Manager: "mariadb", Version: "10.11.14", MemoryMiB: 512,
		Bootstrap: firstboot.Bootstrap{CAPEM: "ca", CertificatePEM: "certificate", KeyPEM: "s3cret"},
	}}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, there := b.metadata[filepath.Base(r.URL.Path)]
		if !there {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(service.Close)
	// The service is left outside, where Go's HTTP client dials too: on threads of its own.
	runtime.LockOSThread() // and never unlock: the thread, and with it the namespace, ends with the test
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNET))
	for name, address := range map[string]string{"eth0": "fa:16:3e:00:00:01", "eth1": "fa:16:3e:00:00:02"} {
		b.ip("link", "add", name, "address", address, "type", "veth", "peer", "name", "other-"+name)
	}
	b.machine = boot.Machine{
		Dir: filepath.Join(dir, "guest"), Log: slog.New(slog.NewTextHandler(b.log(), nil)),
		Sources: boot.Sources{
			Sys: filepath.Join(dir, "sys"), Dev: filepath.Join(dir, "dev"), Service: service.URL,
			Kept: filepath.Join(dir, "guest/machine.json"), Log: slog.New(slog.DiscardHandler), DriveLimit: time.Millisecond,
		},
		Disks: volume.Disks{Sys: filepath.Join(dir, "sys"), Dev: filepath.Join(dir, "dev")},
		Run:   filepath.Join(dir, "run"), Resolver: filepath.Join(dir, "resolv.conf"), Patience: time.Millisecond,
	}
	b.addDisk(dir)
	return b
}

// log collects what is logged, in which no secret may be.
func (b *bench) log() *strings.Builder {
	var text strings.Builder
	b.Cleanup(func() { assert.NotContains(b, text.String(), "s3cret") })
	return &text
}

func (b *bench) ip(args ...string) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "/sbin/ip", args...).CombinedOutput()
	require.NoError(b, err, "ip %s: %s", strings.Join(args, " "), out)
	return string(out)
}

// addDisk makes a disk with the volume's serial number.
func (b *bench) addDisk(dir string) {
	b.Helper()
	file, folder := filepath.Join(dir, "disk"), filepath.Join(b.machine.Disks.Sys, "block/vdb")
	require.NoError(b, os.WriteFile(file, nil, 0o600))
	require.NoError(b, os.Truncate(file, 64<<20))
	out, err := exec.CommandContext(b.Context(), "losetup", "--find", "--show", file).Output()
	require.NoError(b, err)
	device := strings.TrimSpace(string(out))
	b.Cleanup(func() {
		_ = unix.Unmount(filepath.Join(b.machine.Dir, boot.VolumeFolder), unix.MNT_DETACH)
		assert.NoError(b, exec.Command("losetup", "--detach", device).Run())
	})
	require.NoError(b, os.MkdirAll(folder, 0o700))
	require.NoError(b, os.WriteFile(filepath.Join(folder, "serial"), []byte(b.guest.VolumeID[:20]), 0o600))
	require.NoError(b, os.MkdirAll(b.machine.Disks.Dev, 0o700))
	require.NoError(b, os.Symlink(device, filepath.Join(b.machine.Disks.Dev, "vdb")))
}

func (b *bench) tell() {
	b.Helper()
	data, err := firstboot.Encode(b.guest)
	require.NoError(b, err)
	b.metadata = map[string]string{"user_data": string(data), "network_data.json": networkData}
}

// reboot is what a boot begins with.
func (b *bench) reboot() {
	b.Helper()
	require.NoError(b, unix.Unmount(filepath.Join(b.machine.Dir, boot.VolumeFolder), 0))
	require.NoError(b, os.RemoveAll(b.machine.Run))
	for _, name := range []string{"eth0", "eth1"} {
		b.ip("address", "flush", "dev", name)
	}
}

func (b *bench) file(path string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.machine.Dir, path))
	require.NoError(b, err)
	return string(text)
}

func TestAMachineBecomesWhatItsUserDataSay(t *testing.T) {
	b := newBench(t)
	b.tell()
	require.NoError(t, b.machine.Prepare(t.Context()))
	assert.Contains(t, b.ip("address", "show", "dev", "eth0"), "10.20.0.5/16")
	assert.Contains(t, b.ip("address", "show", "dev", "eth1"), "10.30.0.7/16")
	s, err := settings.Read(b.machine.Dir)
	require.NoError(t, err)
	dir := b.machine.Dir
	assert.Equal(t, settings.Server{
		InstanceID: b.guest.InstanceID, Address: "10.20.0.5", AgentListen: "10.30.0.7:8781", DataDir: dir + "/volume",
		StateDir: dir + "/volume/.coffer", RunAsUID: 20000, RunAsGID: 20000, TemplatesDir: dir + "/templates", Version: "10.11.14",
		MemoryBytes: 512 << 20, Folder: dir,
	}, s)
	assert.Equal(t, "s3cret", b.file("bootstrap/key.pem"))
	info, err := os.Stat(dir + "/bootstrap/key.pem")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestAMachineThatKnowsWhatItIsBootsAlone(t *testing.T) {
	b := newBench(t)
	b.tell()
	require.NoError(t, b.machine.Prepare(t.Context()))
	require.NoError(t, os.WriteFile(filepath.Join(b.machine.Dir, "volume/row"), []byte("42"), 0o600))
	// As if it had enrolled.
	require.NoError(t, os.WriteFile(filepath.Join(b.machine.Dir, "agent/cert.pem"), []byte("own"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(b.machine.Dir, "bootstrap/key.pem")))
	b.reboot()
	b.metadata = nil
	require.NoError(t, b.machine.Prepare(t.Context()))
	assert.Equal(t, "42", b.file("volume/row"))
	assert.Equal(t, "own", b.file("agent/cert.pem"))
	assert.NoFileExists(t, filepath.Join(b.machine.Dir, "bootstrap/key.pem"), "the bootstrap is spent")
	assert.Contains(t, b.ip("address", "show", "dev", "eth1"), "10.30.0.7/16")
}

func TestARebuiltMachineHasItsVolumeAndBeginsAnew(t *testing.T) {
	b := newBench(t)
	b.tell()
	require.NoError(t, b.machine.Prepare(t.Context()))
	require.NoError(t, os.MkdirAll(filepath.Join(b.machine.Dir, "volume/.coffer/agent"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(b.machine.Dir, "volume/.coffer/agent/process.json"), []byte("{}"), 0o600))
	b.reboot()
	require.NoError(t, os.RemoveAll(b.machine.Dir))
	b.guest.Bootstrap = firstboot.Bootstrap{CAPEM: "ca", CertificatePEM: "another certificate", KeyPEM: "another s3cret"}
	b.guest.Version = "10.11.19"
	b.tell()
	require.NoError(t, b.machine.Prepare(t.Context()))
	assert.Equal(t, "another certificate", b.file("bootstrap/cert.pem"))
	assert.Equal(t, "{}", b.file("volume/.coffer/agent/process.json"))
	var written map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.file("server.json")), &written))
	assert.Equal(t, "10.11.19", written["version"])
}

func TestADatabaseWithoutItsNetworkInterfaceStillHasItsAgent(t *testing.T) {
	b := newBench(t)
	b.tell()
	b.ip("link", "delete", "eth0")
	require.NoError(t, b.machine.Prepare(t.Context()))
	b.ip("link", "delete", "eth1")
	require.ErrorContains(t, b.machine.Prepare(t.Context()), "no network interface fa:16:3e:00:00:01")
}

func TestAVolumeOfAnotherInstanceIsRefused(t *testing.T) {
	b := newBench(t)
	b.tell()
	require.NoError(t, b.machine.Prepare(t.Context()))
	b.reboot()
	b.guest.InstanceID = "another"
	b.tell()
	require.ErrorContains(t, b.machine.Prepare(t.Context()), "is of instance 4f9f1d3e")
}
