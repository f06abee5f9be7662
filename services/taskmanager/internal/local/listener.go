package local

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// reasonEveryAddress marks a listener that takes a port on every address, so that trying another one is no use.
const reasonEveryAddress = "PORT_TAKEN_ON_EVERY_ADDRESS"

// probeAddress says whether the agent and every engine, on its usual port, could listen on the address.
func (p *Provider) probeAddress(ctx context.Context, ip netip.Addr) error {
	ports := []int{step.AgentPort}
	for _, kind := range dbserver.Kinds {
		ports = append(ports, kind.Port)
	}
	return probe(ctx, ip, ports...)
}

// probe binds each port for a moment.
func probe(ctx context.Context, ip netip.Addr, ports ...int) error {
	for _, port := range ports {
		at := netip.AddrPortFrom(ip, uint16(port)) //nolint:gosec // ports are constants
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp4", at.String())
		if err == nil {
			err = l.Close()
		}
		switch {
		case errors.Is(err, unix.EADDRINUSE):
			return portTaken(at)
		case err != nil:
			return errs.New(errs.Internal, "ADDRESS_UNUSABLE", "The host does not let anything listen on %s.", at).Because(err)
		}
	}
	return nil
}

func portTaken(at netip.AddrPort) error {
	l, err := findListener(at)
	switch {
	case err != nil:
		return errs.New(errs.Conflict, "PORT_TAKEN", "Another program listens on %s.", at).Because(err)
	case l.ip.IsUnspecified():
		return errs.New(errs.Conflict, reasonEveryAddress,
			"%s listens on port %d of every address of this host (%s); stop it, or let it listen on one address.",
			l.program, at.Port(), netip.AddrPortFrom(l.ip, at.Port()))
	default:
		return errs.New(errs.Conflict, "PORT_TAKEN", "%s listens on %s.", l.program, at)
	}
}

// listener is who holds a port.
type listener struct {
	ip      netip.Addr
	program string
}

// findListener looks up who stands in the way of listening, in the tables of proc(5).
func findListener(at netip.AddrPort) (listener, error) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return listener{}, err
		}
		ip, inode, found := searchTable(bufio.NewScanner(f), at)
		if err := f.Close(); err != nil {
			return listener{}, err
		}
		if found {
			return listener{ip, programOf(inode)}, nil
		}
	}
	return listener{}, fmt.Errorf("no listener found for %s", at)
}

func searchTable(lines *bufio.Scanner, at netip.AddrPort) (ip netip.Addr, inode string, found bool) {
	const listening = "0A"
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != listening {
			continue
		}
		local, err := parseTableAddress(fields[1])
		if err != nil || local.Port() != at.Port() {
			continue
		}
		if ip := local.Addr().Unmap(); ip.IsUnspecified() || ip == at.Addr() {
			return ip, fields[9], true
		}
	}
	return netip.Addr{}, "", false
}

// parseTableAddress reads the kernel's form: 32-bit words in the host's order, in hexadecimal, a colon, the port.
func parseTableAddress(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	words, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(words); i += 4 {
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	ip, ok := netip.AddrFromSlice(words)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", s)
	}
	number, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(ip, uint16(number)), err
}

// programOf names the process that has the socket open. Another user's processes cannot be looked into.
func programOf(inode string) string {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return "another program"
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != "socket:["+inode+"]" {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil {
			break
		}
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
	}
	return "another program"
}
