package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

const (
	// leaseLimit bounds the asking of one interface.
	leaseLimit = 30 * time.Second
	// client is busybox's, which asks once and ends: Neutron gives a port the same address as long as there is the port,
	// so that nothing need be renewed.
	client = "/bin/busybox"
)

// script is what the client runs with what it has learned.
const script = "#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nenv > \"$COFFER_LEASE\"\n"

// ask fills in what is to be had by DHCP. Of an interface of which nothing can be had it takes what was told the last
// time: a machine that boots while its cloud is away has the addresses that it had.
func (h Host) ask(ctx context.Context, plan Plan, interfaces map[string]net.Interface) Plan {
	asked := Plan{DNS: plan.DNS}
	last := h.last()
	for _, link := range plan.Links {
		to, there := interfaces[link.MAC]
		if link.Asks && there && !hasAddress(to) {
			lease, err := h.lease(ctx, to.Name)
			if err == nil {
				last[link.MAC] = lease
			} else {
				h.Log.Error("no address could be had by DHCP", "interface", to.Name, "error", err)
			}
			if known, ever := last[link.MAC]; ever {
				link.Nets = append([]Net{known.Net}, link.Nets...)
				asked.DNS = append(asked.DNS, known.DNS...)
			}
		}
		asked.Links = append(asked.Links, link)
	}
	if err := durable.WriteJSON(h.Leases, last); err != nil {
		h.Log.Warn("what was had by DHCP could not be kept", "error", err)
	}
	return asked
}

// lease is what was had by DHCP.
type lease struct {
	Net Net          `json:"net"`
	DNS []netip.Addr `json:"dns"`
}

// last are the last leases by the interfaces' MACs.
func (h Host) last() map[string]lease {
	known := map[string]lease{}
	if err := durable.ReadJSON(h.Leases, &known); err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.Log.Warn("what was had by DHCP before cannot be read", "error", err)
		return map[string]lease{}
	}
	return known
}

func hasAddress(i net.Interface) bool {
	addresses, err := i.Addrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, is := a.(*net.IPNet); is && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return true
		}
	}
	return false
}

func (h Host) lease(ctx context.Context, name string) (had lease, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseLimit)
	defer cancel()
	folder, err := os.MkdirTemp("", "lease-")
	if err != nil {
		return had, err
	}
	defer os.RemoveAll(folder)
	path, answer := filepath.Join(folder, "script"), filepath.Join(folder, "answer")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		return had, err
	}
	if err := ip(ctx, "link", "set", "dev", name, "up"); err != nil {
		return had, err
	}
	cmd := exec.CommandContext(ctx, client, "udhcpc", "-f", "-n", "-q", "-i", name, "-s", path,
		"-O", "staticroutes", "-O", "dns", "-t", "4", "-T", "2")
	cmd.Env = append([]string{"COFFER_LEASE=" + answer}, environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return had, fmt.Errorf("udhcpc: %w: %s", err, bytes.TrimSpace(out))
	}
	text, err := os.ReadFile(answer)
	if err != nil {
		return had, err
	}
	return readLease(string(text))
}

// readLease reads the variables that udhcpc tells its script.
func readLease(text string) (had lease, err error) {
	words := map[string][]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		words[key] = strings.Fields(value)
	}
	if len(words["ip"]) != 1 || len(words["subnet"]) != 1 {
		return had, errors.New("the lease has no address")
	}
	if had.Net.Address, err = prefix(words["ip"][0], words["subnet"][0]); err != nil {
		return had, err
	}
	// Where there are classless routes, they have the default route too, and routers do not count (RFC 3442).
	routes := words["staticroutes"]
	if len(routes) == 0 && len(words["router"]) > 0 {
		routes = []string{"0.0.0.0/0", words["router"][0]}
	}
	for ; len(routes) >= 2; routes = routes[2:] {
		to, err := netip.ParsePrefix(routes[0])
		if err != nil {
			return had, err
		}
		via, err := netip.ParseAddr(routes[1])
		if err != nil {
			return had, err
		}
		// One without a gateway says what its netmask has said.
		if !via.IsUnspecified() {
			had.Net.Routes = append(had.Net.Routes, Route{To: to.Masked(), Via: via})
		}
	}
	for _, server := range words["dns"] {
		address, err := netip.ParseAddr(server)
		if err != nil {
			return had, err
		}
		had.DNS = append(had.DNS, address)
	}
	return had, nil
}
