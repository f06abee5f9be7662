package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/coffer-dbaas/coffer/pkg/bus"
)

const (
	// startTimeout bounds the recovery of the streams from disk.
	startTimeout = 30 * time.Second
	// maxPayload is far above the largest command or event.
	maxPayload = 1 << 20
	// maxMemory bounds streams in memory, of which there are none.
	maxMemory = 8 << 20
)

// Config says where the server keeps its streams and whether others may connect.
type Config struct {
	// Dir is the folder of the streams; it is made when missing.
	Dir string `koanf:"-"`
	// Listen is an address such as 127.0.0.1:4222. Default empty: no port is open, only this process connects.
	Listen string `koanf:"listen"`
	// Token is what others must show. It is required where Listen is no loopback address.
	Token string `koanf:"token"`
}

// Validate names everything that is wrong.
func (c Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	host, _, err := splitAddress(c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); c.Token == "" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("listen: an address that is not loopback needs a token")
	}
	return nil
}

// Server is a running NATS server.
type Server struct {
	nats   *server.Server
	clock  *clock
	token  string
	logger *slog.Logger
}

// Start starts the server and returns once JetStream answers. The caller stops it.
func Start(ctx context.Context, config Config, logger *slog.Logger) (*Server, error) {
	options, err := serverOptions(config)
	if err != nil {
		return nil, err
	}
	running, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("set up the NATS server: %w", err)
	}
	running.SetLoggerV2(&slogger{logger: logger}, false, false, false)
	clock := startClock() //nolint:contextcheck // it ends with the server
	s := &Server{nats: running, clock: clock, token: config.Token, logger: logger}
	running.Start()
	if err := s.awaitReady(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func serverOptions(config Config) (*server.Options, error) {
	options := &server.Options{
		ServerName: "coffer",
		JetStream:  true,
		StoreDir:   config.Dir,
		// The default syncs every two minutes; a command that was acknowledged must survive the machine.
		SyncAlways:         true,
		JetStreamMaxMemory: maxMemory,
		MaxPayload:         maxPayload,
		DontListen:         config.Listen == "",
		// Signals belong to the program.
		NoSigs: true,
	}
	if config.Listen == "" {
		return options, nil
	}
	host, port, err := splitAddress(config.Listen)
	if err != nil {
		return nil, fmt.Errorf("NATS listen address: %w", err)
	}
	options.Host, options.Port, options.Authorization = host, port, config.Token
	if port == 0 {
		options.Port = server.RANDOM_PORT
	}
	return options, nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(portText)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number", portText)
	}
	return host, port, nil
}

const (
	// acceptLimit is how long a healthy server may take to accept connections.
	acceptLimit = time.Second
	// healthAttempts is how often in a row a server must be found unwell.
	healthAttempts = 3
)

func (s *Server) awaitReady(ctx context.Context) error {
	limit := startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	if !s.nats.ReadyForConnections(limit) {
		return fmt.Errorf("the NATS server was not ready within %s", limit)
	}
	if !s.nats.JetStreamEnabled() {
		return errors.New("the NATS server runs without JetStream; its log says why")
	}
	return nil
}

// Connect opens a connection without a socket. The caller closes it.
func (s *Server) Connect(name string) (*nats.Conn, error) {
	return bus.ConnectInProcess(s.nats, name, s.token, s.logger)
}

// URL is where others connect; empty when no port is open.
func (s *Server) URL() string {
	if s.nats.Addr() == nil {
		return ""
	}
	return s.nats.ClientURL()
}

// Ready says what is wrong with the server, if anything.
func (s *Server) Ready() error {
	if !s.nats.Running() {
		return errors.New("the embedded NATS server does not run")
	}
	// Asked for its health, the server gives itself a millisecond to accept connections, which a busy machine may not have.
	if !s.nats.ReadyForConnections(acceptLimit) {
		return fmt.Errorf("the embedded NATS server does not accept connections within %s", acceptLimit)
	}
	for attempt := 1; ; attempt++ {
		health := s.nats.Healthz(nil)
		if health.Error == "" {
			return nil
		}
		if attempt == healthAttempts {
			return errors.New(health.Error)
		}
	}
}

// Stop ends the server and waits for it.
func (s *Server) Stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	s.clock.stop()
}
