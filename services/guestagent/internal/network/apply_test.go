package network_test

import (
	"log/slog"
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

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/network"
)

var tenant = netip.MustParseAddr("10.20.0.5")

// enter gives the test a network namespace of its own, in which all that it starts is too. The namespace is gone with
// the test's thread.
func enter(t *testing.T) network.Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root makes network namespaces")
	}
	runtime.LockOSThread() // and never unlock: the thread ends with the test
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNET))
	dir := t.TempDir()
	return network.Host{
		Marks: filepath.Join(dir, "run"), Resolver: filepath.Join(dir, "resolv.conf"), Leases: filepath.Join(dir, "leases.json"),
		Log: slog.New(slog.DiscardHandler), Patience: time.Millisecond,
	}
}

func ip(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "/sbin/ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %s: %s", strings.Join(args, " "), out)
	return strings.Join(strings.Fields(string(out)), " ")
}

// addInterfaces adds the two of the sample, the tenant's last.
func addInterfaces(t *testing.T) {
	t.Helper()
	for name, address := range map[string]string{"eth0": "fa:16:3e:00:00:02", "eth1": "fa:16:3e:00:00:01"} {
		ip(t, "link", "add", name, "type", "veth", "peer", "name", "other-"+name)
		ip(t, "link", "set", name, "address", address)
		ip(t, "link", "set", "other-"+name, "up")
	}
}

func TestAddressesAndRoutesAreSetAndTheTenantHasTheDefaultRoute(t *testing.T) {
	h := enter(t)
	addInterfaces(t)
	for range 2 { // it may be repeated
		require.NoError(t, h.Apply(t.Context(), sample(t), tenant))
		assert.Contains(t, ip(t, "address", "show", "dev", "eth1"), "mtu 1442")
		assert.Contains(t, ip(t, "address", "show", "dev", "eth1"), "inet 10.20.0.5/16 ")
		assert.Contains(t, ip(t, "address", "show", "dev", "eth1"), "inet6 fd00:20::5/64 scope global nodad")
		assert.Contains(t, ip(t, "address", "show", "dev", "eth0"), "inet 10.30.0.7/16 ")
		assert.Equal(t, "default via 10.20.0.1 dev eth1 onlink", ip(t, "route", "show", "default"))
		assert.Contains(t, ip(t, "-6", "route", "show", "default"), "default via fd00:20::1 dev eth1")
		assert.Contains(t, ip(t, "route", "show", "192.168.7.0/24"), "via 10.30.0.9 dev eth0")
		// What is asked on the management network is answered there, wherever it came from.
		assert.Contains(t, ip(t, "route", "get", "8.8.8.8", "from", "10.30.0.7"), "via 10.30.0.1 dev eth0")
		assert.Contains(t, ip(t, "route", "get", "8.8.8.8", "from", "10.20.0.5"), "via 10.20.0.1 dev eth1")
		assert.Contains(t, ip(t, "route", "get", "10.30.0.9", "from", "10.30.0.7"), "10.30.0.9 from 10.30.0.7 dev eth0")
	}
	resolver, err := os.ReadFile(h.Resolver)
	require.NoError(t, err)
	assert.Contains(t, string(resolver), "nameserver 10.20.0.2\n")
	assert.Equal(t, 1, strings.Count(ip(t, "rule", "show"), "from 10.30.0.7"))
}

func TestAnOnlyNetworkHasTheDefaultRoute(t *testing.T) {
	h := enter(t)
	addInterfaces(t)
	plan := sample(t)
	plan.Links = plan.Links[1:]
	require.NoError(t, h.Apply(t.Context(), plan, tenant))
	assert.Equal(t, "default via 10.30.0.1 dev eth0 onlink", ip(t, "route", "show", "default"))
}

func TestWhatSomebodyElseHasSetIsLeftAlone(t *testing.T) {
	h := enter(t)
	addInterfaces(t)
	ip(t, "address", "add", "10.20.0.5/24", "dev", "eth1")
	require.NoError(t, os.WriteFile(h.Resolver, []byte("nameserver 1.1.1.1\n"), 0o600))
	require.NoError(t, h.Apply(t.Context(), sample(t), tenant))
	assert.NotContains(t, ip(t, "address", "show", "dev", "eth1"), "10.20.0.5/16")
	assert.Contains(t, ip(t, "address", "show", "dev", "eth0"), "inet 10.30.0.7/16 ")
	resolver, err := os.ReadFile(h.Resolver)
	require.NoError(t, err)
	assert.Equal(t, "nameserver 1.1.1.1\n", string(resolver))
}

func TestAMissingInterfaceIsToldAndTheOthersAreSet(t *testing.T) {
	h := enter(t)
	addInterfaces(t)
	ip(t, "link", "delete", "eth1")
	require.ErrorContains(t, h.Apply(t.Context(), sample(t), tenant), "fa:16:3e:00:00:01")
	assert.Contains(t, ip(t, "address", "show", "dev", "eth0"), "inet 10.30.0.7/16 ")
}

func TestAddressesAreHadByDHCPAndKeptForWhenThereIsNone(t *testing.T) {
	h := enter(t)
	if exec.CommandContext(t.Context(), "/bin/busybox", "udhcpd", "--help").Run() != nil {
		t.Skip("there is no DHCP server here (busybox-static)")
	}
	// Both ends are in the test's namespace: a packet socket does not mind.
	ip(t, "link", "add", "eth0", "type", "veth", "peer", "name", "server")
	ip(t, "link", "set", "eth0", "address", "fa:16:3e:00:00:02")
	ip(t, "link", "set", "server", "up")
	ip(t, "address", "add", "10.30.0.1/16", "dev", "server")
	folder := t.TempDir()
	config := filepath.Join(folder, "udhcpd.conf")
	require.NoError(t, os.WriteFile(config, []byte("interface server\nstart 10.30.0.7\nend 10.30.0.7\nlease_file "+folder+"/leases\n"+
		"pidfile "+folder+"/pid\nopt subnet 255.255.0.0\nopt dns 10.30.0.2\n"+
		"opt staticroutes 0.0.0.0/0 10.30.0.3, 192.168.7.0/24 10.30.0.9\n"), 0o600))
	require.NoError(t, os.WriteFile(folder+"/leases", nil, 0o600))
	server := exec.CommandContext(t.Context(), "/bin/busybox", "udhcpd", "-f", config)
	require.NoError(t, server.Start())
	plan := network.Plan{Links: []network.Link{{MAC: "fa:16:3e:00:00:02", Asks: true}}}

	check := func() {
		require.NoError(t, h.Apply(t.Context(), plan, tenant))
		assert.Contains(t, ip(t, "address", "show", "dev", "eth0"), "inet 10.30.0.7/16 ")
		assert.Contains(t, ip(t, "route", "show", "default"), "via 10.30.0.3 dev eth0")
		assert.Contains(t, ip(t, "route", "show", "192.168.7.0/24"), "via 10.30.0.9 dev eth0")
		resolver, err := os.ReadFile(h.Resolver)
		require.NoError(t, err)
		assert.Contains(t, string(resolver), "nameserver 10.30.0.2\n")
	}
	check()
	require.NoError(t, server.Process.Kill())
	_ = server.Wait() // killed
	// The machine boots again, and nobody answers.
	ip(t, "address", "flush", "dev", "eth0")
	require.NoError(t, os.RemoveAll(h.Marks))
	check()
}
