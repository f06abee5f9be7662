package transfer

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// connectLimit bounds the connection and the handshake.
const connectLimit = 10 * time.Second

// Fetch asks the agent of an instance for the copy that a word was given for. The stream reads io.EOF only when all has
// come; every other end is Unavailable with the reason COPY_CUT. It breaks when the context ends.
func Fetch(ctx context.Context, identity *pki.Identity, sourceID, address, word string) (io.ReadCloser, error) {
	if len(word) > 255 {
		return nil, errs.New(errs.Invalid, "TICKET_UNREADABLE", "The ticket is too long.")
	}
	dialing, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{KeepAlive: patience / 4}, Config: identity.ClientTLS(pki.Only(pki.InstanceName(sourceID))),
	}
	connection, err := dialer.DialContext(dialing, "tcp", address)
	if err != nil {
		return nil, errCut(err)
	}
	p := patient{connection}
	if _, err := p.Write(append([]byte(greeting), append([]byte{byte(len(word))}, word...)...)); err != nil { //nolint:gosec // at most 255
		_ = connection.Close()
		return nil, errCut(err)
	}
	return &fetching{unframed: unframed{from: p}, connection: connection, stop: context.AfterFunc(ctx, func() {
		_ = connection.Close() // it breaks the read, which tells
	})}, nil
}

type fetching struct {
	unframed

	connection net.Conn
	stop       func() bool
}

// Close ends the connection; nothing of what was read depends on how.
func (f *fetching) Close() error {
	f.stop()
	_ = f.connection.Close()
	return nil
}
