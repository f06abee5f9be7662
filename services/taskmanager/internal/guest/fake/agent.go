package fake

import (
	"net"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Agent is one fake agent and its pretended database.
type Agent struct {
	guestagentv1.UnimplementedGuestAgentServiceServer

	instanceID string
	caPEM      []byte
	identity   *pki.Identity

	mu     sync.Mutex
	server *grpc.Server
	life   string
	began  time.Time
	// changed is closed and made anew whenever the status changes.
	changed    chan struct{}
	keyPEM     []byte
	sequence   uint64
	service    status.Service
	message    string
	starts     int64
	epoch      int64
	operations map[string]error
	acted      map[string]int
	orders     map[string][]order
	// network and database are the pretended data; the network's lock guards them.
	network  *Network
	database *database
	// prepared is the last request of Prepare.
	prepared *guestagentv1.PrepareRequest
	// memory is what ConfigureDatabase was told last, MiB.
	memory int32
	// onEnrolled is told of a new key and certificate.
	onEnrolled func(certificatePEM, keyPEM []byte) error
}

// order is what a test wants of the next call of a method.
type order struct {
	err error
	// after says that the call does its work and then answers with the error, as if the answer was lost.
	after bool
}

// New makes an agent that serves under the given identity: bootstrap for a new one, instance for an enrolled one.
func New(instanceID string, certificatePEM, keyPEM, caPEM []byte) (*Agent, error) {
	identity, err := pki.NewIdentity(certificatePEM, keyPEM, caPEM)
	if err != nil {
		return nil, err
	}
	key, err := pki.ParseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	if keyPEM, err = pki.KeyPEM(key); err != nil {
		return nil, err
	}
	a := &Agent{
		instanceID: instanceID, caPEM: caPEM, identity: identity, keyPEM: keyPEM,
		changed: make(chan struct{}), service: status.ServiceNew, operations: map[string]error{}, acted: map[string]int{},
		orders: map[string][]order{}, onEnrolled: func(_, _ []byte) error { return nil },
	}
	a.Join(NewNetwork())
	a.Revive()
	return a, nil
}

// Revive begins another life after Stop, with all that a real agent keeps on its disk. Serve follows it.
func (a *Agent) Revive() {
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(a.identity.ServerTLS(pki.OnlyKind(pki.KindTaskmanager)))))
	guestagentv1.RegisterGuestAgentServiceServer(server, a)
	_ = a.network.change(func() error { a.database.gone = false; return nil }) // it cannot fail
	a.mu.Lock()
	defer a.mu.Unlock()
	a.server, a.life, a.began, a.sequence = server, uuid.NewString(), time.Now(), 0
}

// Serve answers calls until Stop.
func (a *Agent) Serve(listener net.Listener) error { return a.Life()(listener) }

// Life is Serve for the life that the agent has now, however late it is called.
func (a *Agent) Life() func(net.Listener) error { return a.serving().Serve }

// Stop ends all calls and streams at once, as a crash of the whole server would.
func (a *Agent) Stop() {
	_ = a.network.change(func() error { a.database.gone = true; return nil }) // it cannot fail
	a.serving().Stop()
}

func (a *Agent) serving() *grpc.Server {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.server
}

// OnEnrolled keeps each new certificate and its key; it is set before Serve.
func (a *Agent) OnEnrolled(keep func(certificatePEM, keyPEM []byte) error) { a.onEnrolled = keep }

// FailNext makes the next call of a method answer with the error, and do nothing.
func (a *Agent) FailNext(method string, err error) { a.order(method, order{err: err}) }

// LoseNext makes the next call of a method do its work, and lose its answer.
func (a *Agent) LoseNext(method string) {
	a.order(method, order{after: true, err: errs.New(errs.Unavailable, "LOST", "The connection broke.").GRPCStatus().Err()})
}

func (a *Agent) order(method string, o order) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.orders[method] = append(a.orders[method], o)
}

func (a *Agent) take(method string) (order, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting := a.orders[method]
	if len(waiting) == 0 {
		return order{}, false
	}
	a.orders[method] = waiting[1:]
	return waiting[0], true
}

// Acted is how often a method really did its work.
func (a *Agent) Acted(method string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.acted[method]
}

// Prepared is what Prepare was asked for; nil before.
func (a *Agent) Prepared() *guestagentv1.PrepareRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.prepared
}

// Memory is what Prepare or ConfigureDatabase was told last, MiB; 0 before.
func (a *Agent) Memory() int32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.memory
}

// Name is what the agent now shows to its callers.
func (a *Agent) Name() pki.Name { return a.identity.Name() }

// Become changes the database's state and tells the watchers.
func (a *Agent) Become(service status.Service, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.become(service, message)
}

func (a *Agent) become(service status.Service, message string) {
	a.sequence++
	a.service, a.message = service, message
	_ = a.network.change(func() error { // it cannot fail
		a.database.running = service == status.ServiceHealthy || service == status.ServiceRunning
		a.database.hasData = a.database.hasData || a.database.running
		return nil
	})
	close(a.changed)
	a.changed = make(chan struct{})
}

// now is the state and the event of its next change.
func (a *Agent) now() (*guestagentv1.DatabaseStatus, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &guestagentv1.DatabaseStatus{
		AgentLife: a.life, AgentLifeBegan: a.began.UnixNano(), Sequence: a.sequence,
		ServiceStatus: string(a.service), Message: a.message, Starts: a.starts,
		Volume: &guestagentv1.VolumeUse{UsedBytes: 1 << 20, TotalBytes: 1 << 30},
	}, a.changed
}
