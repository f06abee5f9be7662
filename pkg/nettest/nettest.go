package nettest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreeAddress is a host and port at which nobody listens, for a program that is told where to listen, or that shall find
// nobody there. The host is drawn from 127.0.0.0/16, whose addresses local servers never have: on 127.0.0.1 the port could
// go to any connection or test that asks for a free one meanwhile.
func FreeAddress(t testing.TB) string {
	t.Helper()
	host := fmt.Sprintf("127.0.%d.%d", 1+rand.IntN(255), 1+rand.IntN(254)) //nolint:gosec // no secret
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// Host is an address of this host for a database server and its agent, drawn from those that the local provider gives to
// its servers: there are so many that no two tests get the same.
func Host() string {
	return fmt.Sprintf("127.%d.%d.%d", 2+rand.IntN(250), rand.IntN(256), 1+rand.IntN(254)) //nolint:gosec // no secret
}
