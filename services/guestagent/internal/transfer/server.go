package transfer

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// Port is where copies are served, on the database's own address.
const Port = 4444

// Send writes a copy.
type Send func(ctx context.Context, to io.Writer) error

// Server serves copies that were announced.
type Server struct {
	identity *pki.Identity
	address  string
	log      *slog.Logger

	// ctx is the life of the agent: a copy outlives the call that announced it.
	ctx    context.Context //nolint:containedctx // see above
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu sync.Mutex
	// announced are the copies that may be taken, by the name of the replica.
	announced map[pki.Name]*announcement
	// listener is nil while nothing is announced.
	listener net.Listener
}

type announcement struct {
	word  string
	send  Send
	timer *time.Timer
}

// NewServer makes a server that will listen on an address, host:port, while it has something to serve.
func NewServer(identity *pki.Identity, address string, log *slog.Logger) *Server {
	s := &Server{identity: identity, address: address, log: log, announced: map[pki.Name]*announcement{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Address is where copies are served.
func (s *Server) Address() string { return s.address }

// Announce lets a replica take one copy with a word, once, as long as it is good. It takes the place of an earlier
// announcement to the same replica. It listens when it returns.
func (s *Server) Announce(replicaID, word string, good time.Duration, send Send) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return errs.New(errs.Unavailable, "AGENT_STOPPING", "The guest agent stops.")
	}
	if err := s.listen(); err != nil {
		return err
	}
	name := pki.InstanceName(replicaID)
	s.drop(name)
	a := &announcement{word: word, send: send}
	a.timer = time.AfterFunc(good, func() { s.expire(name, a) })
	s.announced[name] = a
	return nil
}

// Withdraw takes an announcement back; a copy that is on its way goes on.
func (s *Server) Withdraw(replicaID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(pki.InstanceName(replicaID))
	s.rest()
}

// Close ends everything and waits for it.
func (s *Server) Close() {
	s.cancel()
	s.mu.Lock()
	for name := range s.announced {
		s.drop(name)
	}
	s.rest()
	s.mu.Unlock()
	s.work.Wait()
}

func (s *Server) expire(name pki.Name, a *announcement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.announced[name] == a {
		s.drop(name)
		s.rest()
	}
}

// drop forgets an announcement, if there is one.
func (s *Server) drop(name pki.Name) {
	if a := s.announced[name]; a != nil {
		a.timer.Stop()
		delete(s.announced, name)
	}
}

// rest closes the port when nothing is announced.
func (s *Server) rest() {
	if len(s.announced) == 0 && s.listener != nil {
		_ = s.listener.Close() // what it has accepted goes on
		s.listener = nil
	}
}

func (s *Server) listen() error {
	if s.listener != nil {
		return nil
	}
	listener, err := (&net.ListenConfig{KeepAlive: patience / 4}).Listen(s.ctx, "tcp", s.address)
	if err != nil {
		return errs.New(errs.Unavailable, "COPY_PORT_TAKEN", "Copies cannot be served: %v.", err).Because(err)
	}
	s.listener = listener
	s.work.Go(func() { s.accept(listener) })
	return nil
}

func (s *Server) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("a connection for a copy could not be accepted", "error", err)
			// It may be for want of file descriptors.
			if !pause.For(s.ctx, time.Second) {
				return
			}
			continue
		}
		s.work.Go(func() { s.serve(connection) })
	}
}

func (s *Server) serve(raw net.Conn) {
	defer raw.Close()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	connection := tls.Server(raw, s.identity.GuestTLS(s.expected))
	replica, send, err := s.greet(ctx, connection)
	if err != nil {
		s.log.Warn("a copy was refused", "peer", raw.RemoteAddr().String(), "error", err)
		return
	}
	s.log.Info("a copy begins", "replica", string(replica))
	out := newFrames(patient{connection})
	if err := send(ctx, out); err != nil {
		s.log.Error("a copy failed", "replica", string(replica), "error", err, "cause", errors.Unwrap(err))
		_ = out.end(failed) // the replica takes a cut for the same
		return
	}
	if err := errors.Join(out.end(whole), connection.CloseWrite()); err != nil {
		s.log.Error("a copy could not be ended", "replica", string(replica), "error", err)
		return
	}
	s.log.Info("a copy was sent", "replica", string(replica))
}

// expected lets nobody in for whom there is nothing.
func (s *Server) expected(name pki.Name) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.announced[name] == nil {
		return fmt.Errorf("no copy is announced for %s", name)
	}
	return nil
}

// greet finds who calls and takes the announcement for it. A wrong word spends nothing.
func (s *Server) greet(ctx context.Context, connection *tls.Conn) (replica pki.Name, send Send, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	if err := connection.HandshakeContext(ctx); err != nil {
		return "", nil, err
	}
	name, err := pki.PeerOf(connection.ConnectionState())
	if err != nil {
		return "", nil, err
	}
	head := make([]byte, len(greeting)+1)
	in := patient{connection}
	if _, err := io.ReadFull(in, head); err != nil {
		return "", nil, err
	}
	if string(head[:len(greeting)]) != greeting {
		return "", nil, errors.New("the greeting is not known")
	}
	word := make([]byte, head[len(greeting)])
	if _, err := io.ReadFull(in, word); err != nil {
		return "", nil, err
	}
	send, err = s.take(name, word)
	return name, send, err
}

func (s *Server) take(name pki.Name, word []byte) (Send, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.announced[name]
	if a == nil || subtle.ConstantTimeCompare([]byte(a.word), word) != 1 {
		return nil, fmt.Errorf("the word of %s is not good", name)
	}
	s.drop(name)
	s.rest()
	return a.send, nil
}
