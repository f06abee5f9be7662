package guest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/firstboot"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// imageVariable names the guest image's file; without it the tests of machines are skipped.
const imageVariable = "COFFER_TEST_IMAGE"

// machineLimit bounds each wait for a machine. It is emulated, on a computer that has other things to do.
const machineLimit = 5 * time.Minute

// The addresses that the machine's ports have, each on a network of its own, and no DHCP.
const (
	tenantAddress     = "10.20.0.5"
	managementAddress = "10.30.0.7"
)

// vm is a machine of the guest image in QEMU, as Nova would make it: a config drive, two ports and a volume.
type vm struct {
	*bench

	t       *testing.T
	id      string
	manager string
	dir     string
	// base is the image that the machine's own disk is an overlay of.
	base string
	// vfat is the kind of the config drive, which is a CD-ROM else.
	vfat bool
	// What the host reaches the machine by: its agent, its database, and where neither must listen.
	agent, database, agentOfTenant, databaseOfManagement string

	qemu  *exec.Cmd
	ended chan error
}

// image is the file under test, or the test is skipped.
func image(t *testing.T) string {
	t.Helper()
	path := os.Getenv(imageVariable)
	if path == "" {
		t.Skipf("%s does not name a guest image; make image builds one, make test-openstack tries it", imageVariable)
	}
	for _, program := range []string{"qemu-system-x86_64", "qemu-img", "genisoimage", "mkfs.vfat", "mcopy"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err)
	}
	return path
}

func newVM(t *testing.T, base, manager string) *vm {
	t.Helper()
	m := &vm{
		bench: setup(t), t: t, id: uuid.NewString(), manager: manager, dir: t.TempDir(), base: base,
		agent: freePort(t), database: freePort(t), agentOfTenant: freePort(t), databaseOfManagement: freePort(t),
	}
	volume := filepath.Join(m.dir, "volume")
	require.NoError(t, os.WriteFile(volume, nil, 0o600))
	require.NoError(t, os.Truncate(volume, 1<<30))
	m.build()
	t.Cleanup(m.crash)
	return m
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// build makes the machine's own disk and its config drive, as Nova does for a server and for its rebuild.
func (m *vm) build() {
	m.t.Helper()
	m.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", m.base, "-F", "qcow2", filepath.Join(m.dir, "root"))
	bootstrap, err := m.ca.IssueBootstrap(m.t.Context(), &journalv1.IssueBootstrapRequest{InstanceId: m.id})
	require.NoError(m.t, err)
	user, err := firstboot.Encode(firstboot.Guest{
		InstanceID: m.id, Address: netip.MustParseAddr(tenantAddress), ManagementAddress: netip.MustParseAddr(managementAddress),
		AgentPort: 8781, VolumeID: m.id, Manager: m.manager, MemoryMiB: 512,
		Bootstrap: firstboot.Bootstrap{
			CAPEM: string(bootstrap.GetCaPem()), CertificatePEM: string(bootstrap.GetCertificatePem()), KeyPEM: string(bootstrap.GetKeyPem()),
		},
	})
	require.NoError(m.t, err)
	drive := filepath.Join(m.dir, "drive")
	folder := filepath.Join(drive, "openstack/latest")
	require.NoError(m.t, os.MkdirAll(folder, 0o700))
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, "user_data"), user, 0o600))
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, "network_data.json"), networkData(m.t), 0o600))
	if m.vfat {
		require.NoError(m.t, os.WriteFile(drive+".image", nil, 0o600))
		require.NoError(m.t, os.Truncate(drive+".image", 64<<20)) // Nova's size
		m.run("mkfs.vfat", "-n", "config-2", drive+".image")
		m.run("mcopy", "-s", "-i", drive+".image", filepath.Join(drive, "openstack"), "::")
		return
	}
	m.run("genisoimage", "-quiet", "-o", drive+".image", "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-J", "-r",
		"-V", "config-2", drive)
}

// networkData is what Nova writes of two ports without DHCP. Both networks have a router.
func networkData(t *testing.T) []byte {
	t.Helper()
	var links, networks []map[string]any
	for i, address := range []string{tenantAddress, managementAddress} {
		id := fmt.Sprintf("tap%d", i)
		links = append(links, map[string]any{"id": id, "type": "bridge", "mtu": 1500, "ethernet_mac_address": mac(i)})
		networks = append(networks, map[string]any{
			"id": fmt.Sprintf("network%d", i), "type": "ipv4", "link": id, "ip_address": address, "netmask": "255.255.255.0",
			"routes": []any{map[string]any{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": router(address)}},
		})
	}
	data, err := json.Marshal(map[string]any{"links": links, "networks": networks, "services": []any{}})
	require.NoError(t, err)
	return data
}

func mac(port int) string { return fmt.Sprintf("fa:16:3e:00:00:%02x", port+1) }

func router(address string) string { return address[:strings.LastIndex(address, ".")] + ".1" }

// boot starts the machine and waits for nothing.
func (m *vm) boot() {
	m.t.Helper()
	arguments := []string{
		"-nodefaults", "-machine", "pc", "-cpu", "max", "-m", "512", "-display", "none", "-no-reboot",
		"-serial", "file:" + filepath.Join(m.dir, "console.log"),
		"-serial", "unix:" + filepath.Join(m.dir, "shell") + ",server=on,wait=off",
		"-qmp", "unix:" + filepath.Join(m.dir, "qmp") + ",server=on,wait=off",
		"-drive", "if=none,id=root,file=" + filepath.Join(m.dir, "root"), "-device", "virtio-blk-pci,drive=root,bootindex=1",
		"-drive", "if=none,id=volume,format=raw,file=" + filepath.Join(m.dir, "volume"),
		"-device", "virtio-blk-pci,drive=volume,serial=" + m.id[:20],
		"-drive", "if=none,id=drive,format=raw,readonly=on,file=" + filepath.Join(m.dir, "drive.image"), "-device", m.driveDevice(),
		"-device", "virtio-rng-pci",
	}
	for i, network := range []struct {
		address  string
		forwards map[string]int
	}{
		{tenantAddress, map[string]int{m.database: m.port(), m.agentOfTenant: 8781}},
		{managementAddress, map[string]int{m.agent: 8781, m.databaseOfManagement: m.port()}},
	} {
		netdev := []string{"user", fmt.Sprintf("id=net%d", i), "net=" + router(network.address) + "/24", "host=" + router(network.address)}
		for from, to := range network.forwards {
			netdev = append(netdev, fmt.Sprintf("hostfwd=tcp:%s-%s:%d", from, network.address, to))
		}
		arguments = append(arguments, "-netdev", strings.Join(netdev, ","), "-device", fmt.Sprintf("virtio-net-pci,netdev=net%d,mac=%s,romfile=", i, mac(i)))
	}
	m.qemu = exec.CommandContext(context.WithoutCancel(m.t.Context()), "qemu-system-x86_64", arguments...)
	m.qemu.Stdout, m.qemu.Stderr = os.Stdout, os.Stderr
	require.NoError(m.t, m.qemu.Start())
	m.ended = make(chan error, 1)
	go func() { m.ended <- m.qemu.Wait() }()
}

func (m *vm) driveDevice() string {
	if m.vfat {
		return "virtio-blk-pci,drive=drive"
	}
	return "ide-cd,drive=drive"
}

func (m *vm) port() int {
	if m.manager == "postgresql" {
		return 5432
	}
	return 3306
}

// crash takes the power away.
func (m *vm) crash() {
	if m.qemu == nil {
		return
	}
	_ = m.qemu.Process.Kill() // it may have ended
	require.Error(m.t, <-m.ended, "it was killed")
	m.qemu = nil
	if m.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(m.dir, "console.log"))
		m.t.Logf("console:\n%s", log)
	}
}

// shutDown presses the power button, as Nova's soft reboot and stop do, and waits until the machine is off.
func (m *vm) shutDown() {
	m.t.Helper()
	connection, err := (&net.Dialer{}).DialContext(m.ctx(), "unix", filepath.Join(m.dir, "qmp"))
	require.NoError(m.t, err)
	defer connection.Close()
	answers := bufio.NewReader(connection)
	for _, command := range []string{"", "qmp_capabilities", "system_powerdown"} {
		if command != "" {
			_, err = fmt.Fprintf(connection, `{"execute":%q}`, command)
			require.NoError(m.t, err)
		}
		_, err = answers.ReadString('\n')
		require.NoError(m.t, err)
	}
	select {
	case err := <-m.ended:
		require.NoError(m.t, err)
		m.qemu = nil
	case <-m.ctx().Done():
		require.FailNow(m.t, "the machine did not go off")
	}
}

func (m *vm) ctx() context.Context { return limited(m.t, machineLimit) }

func (m *vm) run(program string, args ...string) string {
	m.t.Helper()
	return run(m.t, program, args...)
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
	return strings.TrimSpace(string(out))
}

// enrol waits for the agent as the workflow does, attempt by attempt.
func (m *vm) enrol() step.Guest {
	m.t.Helper()
	ctx := m.ctx()
	for {
		err := m.dialer.Enroll(ctx, m.id, m.agent, m.sign(m.id))
		if err == nil {
			break
		}
		require.True(m.t, pause.For(ctx, 10*time.Millisecond), "%v", err)
	}
	g, err := m.dialer.Guest(m.id, m.agent)
	require.NoError(m.t, err)
	return g
}

// execute runs SQL from outside as the tenant, once the database lets it in.
func (m *vm) execute(statement string) string {
	m.t.Helper()
	_, port, err := net.SplitHostPort(m.database)
	require.NoError(m.t, err)
	arguments := []string{
		"mariadb", "--no-defaults", "--protocol=tcp", "--connect-timeout=5", "-N", "-h127.0.0.1", "-P" + port, "-u" + user, "app", "-e", statement,
	}
	if m.manager == "postgresql" {
		arguments = []string{"psql", "-X", "-A", "-t", "-q", "-h", "127.0.0.1", "-p", port, "-U", user, "-d", "app", "-c", statement}
	}
	for ctx := m.ctx(); ; {
		cmd := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+password, "PGPASSWORD="+password, "PGCONNECT_TIMEOUT=5")
		out, err := cmd.CombinedOutput()
		if err == nil {
			return strings.TrimSpace(string(out))
		}
		require.True(m.t, pause.For(ctx, 100*time.Millisecond), "%v: %s", err, out)
	}
}

// refuses says whether nobody answers behind a forwarded port.
func refuses(t *testing.T, address string) {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer connection.Close()
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(machineLimit)))
	_, err = connection.Read(make([]byte, 1))
	require.Error(t, err, "somebody talks")
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "somebody listens")
}
