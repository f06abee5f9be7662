package local

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
)

// userOf is the numeric user of the database at an address: unique on the host, since the address is.
func (p *Provider) userOf(ip netip.Addr) int { return p.cfg.UIDBase + low24(ip) }

// checkUsers makes sure that the databases' users exist for the kernel: in a container whose root is somebody else's
// user, most numbers do not.
func (p *Provider) checkUsers() error {
	if !p.separateUsers {
		return nil
	}
	maps, err := os.Open("/proc/self/uid_map")
	if os.IsNotExist(err) { // a kernel without user namespaces has all users
		return nil
	}
	if err != nil {
		return err
	}
	defer maps.Close() // only read
	first := p.userOf(p.folder.addressRange().Addr())
	last := first + 1<<(32-rangeBits) - 1
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var inside, outside, count int
		if _, err := fmt.Sscan(lines.Text(), &inside, &outside, &count); err != nil {
			return fmt.Errorf("read %s: %w", maps.Name(), err)
		}
		if inside <= first && last < inside+count {
			return nil
		}
	}
	return fmt.Errorf("this container has no users %d to %d for its databases; run Coffer as an ordinary user in it", first, last)
}
