package local

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

func TestAddressesComeFromTheRangeThatTheFolderKeeps(t *testing.T) {
	h := newHost(t)
	first := h.open(t).folder.addressRange()
	assert.Equal(t, first, h.open(t).folder.addressRange())
	assert.Equal(t, rangeBits, first.Bits())
	assert.True(t, loopback.Contains(first.Addr()))
	assert.False(t, hosts.Contains(first.Addr()))

	p := h.open(t)
	address, err := p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: uuid.NewString()})
	require.NoError(t, err)
	assert.True(t, first.Contains(netip.MustParseAddr(address.IP)))
	assert.Equal(t, p.folder.identity.NetworkID, address.NetworkID)
}

func TestAConfiguredRangeIsUsed(t *testing.T) {
	h := newHost(t)
	h.cfg.AddressRange = "127.77.48.0/20"
	address, err := h.open(t).AllocateAddress(t.Context(), step.AddressSpec{InstanceID: uuid.NewString()})
	require.NoError(t, err)
	assert.True(t, netip.MustParsePrefix("127.77.48.0/20").Contains(netip.MustParseAddr(address.IP)))
}

func TestAFullRangeSaysSo(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	first := p.folder.addressRange().Addr().As4()
	for n := 1; n < 1<<(32-rangeBits)-1; n++ {
		ip := netip.AddrFrom4([4]byte{first[0], first[1], first[2] + byte(n>>8), byte(n)})
		require.NoError(t, os.WriteFile(p.folder.addressFile("x"+strconv.Itoa(n)), fmt.Appendf(nil, `{"ip":%q}`, ip), 0o600))
	}
	_, err := p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: uuid.NewString()})
	assert.True(t, errs.IsReason(err, "NO_ADDRESS"), "got %v", err)

	require.NoError(t, p.ReleaseAddress(t.Context(), "x1000"))
	address, err := p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: uuid.NewString()})
	require.NoError(t, err)
	assert.Equal(t, netip.AddrFrom4([4]byte{first[0], first[1], first[2] + 3, 232}).String(), address.IP)
}

func listen(t *testing.T, network, address string) (port int) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), network, address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l.Addr().(*net.TCPAddr).Port
}

func TestAListenerOnEveryAddressIsNamed(t *testing.T) {
	ip := netip.MustParseAddr("127.99.1.1")
	self := fmt.Sprintf("(process %d)", os.Getpid())
	for _, address := range []string{"0.0.0.0:0", "[::]:0"} {
		err := probe(t.Context(), ip, listen(t, "tcp", address))
		assert.True(t, errs.IsReason(err, reasonEveryAddress), "got %v", err)
		require.ErrorContains(t, err, self)
	}
	err := probe(t.Context(), ip, listen(t, "tcp4", "127.99.1.1:0"))
	assert.True(t, errs.IsReason(err, "PORT_TAKEN"), "got %v", err)
	require.ErrorContains(t, err, self)
	assert.NoError(t, probe(t.Context(), ip, listen(t, "tcp4", "127.99.1.2:0")))
}
