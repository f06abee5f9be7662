package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// appearPause is the pause between two looks for an interface.
	appearPause = 50 * time.Millisecond
	// firstTable is the first of the tables of routes for what comes in elsewhere than where the default route is.
	firstTable = 100
)

// Host is the machine whose network is set.
type Host struct {
	// Marks is a folder that is empty when the machine boots; in it stands which interfaces are ours. Absolute.
	Marks string
	// Resolver is resolv.conf. Absolute.
	Resolver string
	// Leases is the file in which what was had by DHCP is kept over boots. Absolute.
	Leases string
	// Patience is how long an interface may take to appear after its machine has booted.
	Patience time.Duration
	Log      *slog.Logger
}

// Apply brings the network about and may be repeated. Where several networks have a default route, it is the one that
// the given address is in. An interface that is missing or cannot be set is an error, and the others are set all the same.
func (h Host) Apply(ctx context.Context, plan Plan, tenant netip.Addr) error {
	interfaces, missing := h.await(ctx, plan.Links)
	faults := []error{missing}
	plan = h.ask(ctx, plan, interfaces)
	main := plan.mainLinks(tenant)
	for i, link := range plan.Links {
		to, there := interfaces[link.MAC]
		if !there {
			continue
		}
		if err := h.set(ctx, to, link, setting{table: firstTable + i, mainOf4: main[false] == i, mainOf6: main[true] == i}); err != nil {
			faults = append(faults, fmt.Errorf("set the network interface %s: %w", to.Name, err))
		}
	}
	return errors.Join(append(faults, h.writeResolver(plan.DNS))...)
}

// await waits for all interfaces to appear. The error names those that do not.
func (h Host) await(ctx context.Context, links []Link) (map[string]net.Interface, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Patience)
	defer cancel()
	for {
		found := map[string]net.Interface{}
		all, err := net.Interfaces()
		if err != nil {
			return found, fmt.Errorf("list network interfaces: %w", err)
		}
		for _, i := range all {
			if i.HardwareAddr != nil {
				found[i.HardwareAddr.String()] = i
			}
		}
		missing := slices.DeleteFunc(slices.Clone(links), func(l Link) bool {
			_, there := found[l.MAC]
			return there
		})
		if len(missing) == 0 {
			return found, nil
		}
		if !pause.For(ctx, appearPause) {
			return found, fmt.Errorf("the machine has no network interface %s", missing[0].MAC)
		}
	}
}

// mainLinks are the links with the default route, of version six or not; -1 where there is none.
func (p Plan) mainLinks(tenant netip.Addr) map[bool]int {
	main := map[bool]int{false: -1, true: -1}
	for i, link := range p.Links {
		for _, n := range link.Nets {
			six := n.Address.Addr().Is6()
			if slices.ContainsFunc(n.Routes, Route.isDefault) && (main[six] < 0 || n.Address.Addr() == tenant) {
				main[six] = i
			}
		}
	}
	return main
}

// setting is how one interface's routes are set.
type setting struct {
	// table is for what its networks answer by themselves.
	table            int
	mainOf4, mainOf6 bool
}

func (s setting) isMain(n Net) bool {
	if n.Address.Addr().Is6() {
		return s.mainOf6
	}
	return s.mainOf4
}

func (h Host) set(ctx context.Context, to net.Interface, link Link, s setting) error {
	ours, err := h.claim(to)
	if err != nil || !ours {
		return err
	}
	up := []string{"link", "set", "dev", to.Name}
	if link.MTU > 0 {
		up = append(up, "mtu", strconv.Itoa(link.MTU))
	}
	faults := []error{ip(ctx, append(up, "up")...)}
	for _, n := range link.Nets {
		faults = append(faults, setNet(ctx, to.Name, n, s))
	}
	return errors.Join(faults...)
}

// claim says whether an interface is ours to set: nobody else has given it an address.
func (h Host) claim(i net.Interface) (bool, error) {
	mark := filepath.Join(h.Marks, "network-"+i.Name)
	if _, err := os.Stat(mark); !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	addresses, err := i.Addrs()
	if err != nil {
		return false, err
	}
	for _, a := range addresses {
		if n, is := a.(*net.IPNet); is && n.IP.IsGlobalUnicast() {
			h.Log.Info("the network interface has an address and is left as it is", "interface", i.Name, "address", n.String())
			return false, nil
		}
	}
	return true, errors.Join(os.MkdirAll(h.Marks, 0o700), os.WriteFile(mark, nil, 0o600))
}

func setNet(ctx context.Context, name string, n Net, s setting) error {
	address := []string{"address", "replace", n.Address.String(), "dev", name}
	if n.Address.Addr().Is6() {
		// What listens on it need not wait until nobody else has it: Neutron gives it to this port alone.
		address = append(address, "nodad")
	}
	if err := ip(ctx, address...); err != nil {
		return err
	}
	table := "main"
	if !s.isMain(n) && slices.ContainsFunc(n.Routes, Route.isDefault) {
		table = strconv.Itoa(s.table)
		if err := setTable(ctx, name, n, table); err != nil {
			return err
		}
	}
	for _, r := range n.Routes {
		in := "main"
		if r.isDefault() {
			in = table
		}
		if err := ip(ctx, "route", "replace", r.To.String(), "via", r.Via.String(), "dev", name, "table", in, "onlink"); err != nil {
			return err
		}
	}
	return nil
}

// setTable has what an address sends go by a table of its own, and through no gateway to its neighbours.
func setTable(ctx context.Context, name string, n Net, table string) error {
	source := n.Address.Addr()
	err := ip(ctx, "route", "replace", n.Address.Masked().String(), "dev", name, "src", source.String(), "table", table)
	if err != nil {
		return err
	}
	family := "-4"
	if source.Is6() {
		family = "-6"
	}
	rule := []string{"from", source.String(), "table", table}
	// The kernel would take the same rule twice.
	there, err := ask(ctx, append([]string{family, "rule", "show"}, rule...)...)
	if err != nil || there != "" {
		return err
	}
	return ip(ctx, append([]string{family, "rule", "add"}, rule...)...)
}
