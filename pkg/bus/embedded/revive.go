package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/coffer-dbaas/coffer/pkg/pulse"
)

// reviveInterval is the pause between two looks at the streams.
const reviveInterval = 5 * time.Second

// Keep starts JetStream anew until the context ends whenever a stream could not be written: the server itself leaves such
// a stream closed, however much room there is on the disk later.
func (s *Server) Keep(ctx context.Context) error {
	config := s.nats.JetStreamConfig()
	if config == nil {
		return errors.New("the embedded NATS server runs without JetStream")
	}
	look := time.NewTimer(pulse.Next(reviveInterval))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			look.Reset(pulse.Next(reviveInterval))
		}
		broken := s.Ready()
		if broken == nil || !s.nats.Running() {
			continue
		}
		if err := s.revive(*config); err != nil {
			s.logger.Error("the queue cannot be started anew, trying again", "cause", broken, "error", err)
		} else {
			s.logger.Warn("the queue was started anew", "cause", broken)
		}
	}
}

// revive starts JetStream from its files.
func (s *Server) revive(config server.JetStreamConfig) error {
	if err := s.nats.ShutdownJetStream(); err != nil {
		return fmt.Errorf("stop JetStream: %w", err)
	}
	// The server puts its own folder into the one that it is given.
	config.StoreDir = filepath.Dir(config.StoreDir)
	return s.nats.EnableJetStream(&config)
}
