package network

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// title tells our resolv.conf from somebody else's.
const title = "# Written by the guest agent; changes are lost.\n"

// writeResolver names the servers where nobody else has.
func (h Host) writeResolver(servers []netip.Addr) error {
	now, err := os.ReadFile(h.Resolver)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(servers) == 0 || (len(now) > 0 && !strings.HasPrefix(string(now), title)) {
		return nil
	}
	var text strings.Builder
	text.WriteString(title)
	for _, server := range servers {
		text.WriteString("nameserver " + server.String() + "\n")
	}
	return os.WriteFile(h.Resolver, []byte(text.String()), 0o644) //nolint:gosec // every program reads it
}
