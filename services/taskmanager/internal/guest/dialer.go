package guest

import (
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const connectTimeout = 5 * time.Second

var (
	// redial bounds how late an agent that is back is noticed.
	redial = backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}
	// firstDial finds a new server's agent soon after it listens, which takes it milliseconds on the local provider and
	// minutes in a cloud.
	firstDial = backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1.2, Jitter: 0.1, MaxDelay: 500 * time.Millisecond}
)

// Dialer keeps one connection per guest.
type Dialer struct {
	identity *pki.Identity

	mu     sync.Mutex
	guests map[string]*Guest
}

var _ step.Guests = (*Dialer)(nil)

// NewDialer makes a dialer that calls under the given identity, coffer://taskmanager/….
func NewDialer(identity *pki.Identity) *Dialer {
	return &Dialer{identity: identity, guests: map[string]*Guest{}}
}

// Guest is the agent of an instance. A new address replaces the connection to the former one.
func (d *Dialer) Guest(instanceID, address string) (step.Guest, error) {
	return d.Connect(instanceID, address)
}

// Connect is Guest with what the monitor needs besides.
func (d *Dialer) Connect(instanceID, address string) (*Guest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.guests[instanceID]; ok {
		if known.address == address {
			return known, nil
		}
		known.close()
		delete(d.guests, instanceID)
	}
	connection, err := d.dial(address, d.identity.ClientTLS(pki.Only(pki.InstanceName(instanceID))), redial)
	if err != nil {
		return nil, err
	}
	made := &Guest{
		instanceID: instanceID, address: address,
		connection: connection, client: guestagentv1.NewGuestAgentServiceClient(connection),
	}
	d.guests[instanceID] = made
	return made, nil
}

// Forget closes the connection to an instance's guest.
func (d *Dialer) Forget(instanceID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.guests[instanceID]; ok {
		known.close()
		delete(d.guests, instanceID)
	}
}

// Close closes all connections.
func (d *Dialer) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, known := range d.guests {
		known.close()
		delete(d.guests, id)
	}
}

func (d *Dialer) dial(address string, security *tls.Config, again backoff.Config) (*grpc.ClientConn, error) {
	connection, err := grpc.NewClient(
		// A literal address: nothing to resolve, no proxy to ask.
		"passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(security)),
		grpc.WithNoProxy(),
		grpc.WithChainUnaryInterceptor(traceUnary),
		grpc.WithChainStreamInterceptor(traceStream),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: connectTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("dial guest at %s: %w", address, err)
	}
	return connection, nil
}
