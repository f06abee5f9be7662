package local

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/pkg/pulse"
	"github.com/coffer-dbaas/coffer/pkg/status"
)

const (
	// agentRestartDelay is how long a dead agent stays dead, as with a unit of systemd's (RestartSec).
	agentRestartDelay = time.Second
	// lookInterval is how often servers are looked for that another process made or started.
	lookInterval = 5 * time.Second
)

// supervisor watches the servers: one goroutine for each that lives, which ends when the server is down or deleted.
//
//	       made, found alive            agent died, database lives: 1 s, start the agent
//	(none) ------------------> watched ------------------------------------------------+
//	  ^                         |   ^                                                   |
//	  |  both died: SHUTDOWN    |   +---------------------------------------------------+
//	  +-------------------------+
type supervisor struct {
	p *Provider
	// made rings when this provider made or started a server.
	made chan struct{}
	// bringingBack: servers that do not run may still be started by it.
	bringingBack atomic.Bool

	mu      sync.Mutex
	watched map[string]bool
	// down are the servers whose end was told, and whose return shall be.
	down map[string]bool
	wait sync.WaitGroup
}

func newSupervisor(p *Provider) *supervisor {
	return &supervisor{
		p: p, made: make(chan struct{}, 1), watched: make(map[string]bool), down: make(map[string]bool),
	}
}

func (s *supervisor) log(instanceID string) *slog.Logger {
	return s.p.log.With("instance_id", instanceID)
}

func (s *supervisor) serverMade() {
	select {
	case s.made <- struct{}{}:
	default:
	}
}

// run supervises from the moment no other provider of the folder does, until ctx ends; then it stops the servers if
// that is what ctx ended for.
func (s *supervisor) run(ctx context.Context) error {
	release, err := s.p.folder.locks.supervision(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer release()
	if err := s.bringBack(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	err = s.watchAll(ctx)
	s.wait.Wait()
	if errors.Is(context.Cause(ctx), ErrStopServers) {
		return errors.Join(err, s.stopAll(context.WithoutCancel(ctx)))
	}
	return err
}

func (s *supervisor) watchAll(ctx context.Context) error {
	look := time.NewTimer(pulse.Next(lookInterval))
	defer look.Stop()
	for {
		if err := s.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.made:
		case <-look.C:
			look.Reset(pulse.Next(lookInterval))
		}
	}
}

// look begins to watch every server that lives and is not watched. One that was told to be down is waited for; of
// any other that has no agent, follow finds out what became of it.
func (s *supervisor) look(ctx context.Context) error {
	ids, err := s.p.folder.serverIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		watched, down := s.knows(id)
		if watched {
			continue
		}
		agent, err := s.p.recordedAgent(id)
		if errors.Is(err, proc.ErrGone) && down {
			continue
		}
		if err != nil && !errors.Is(err, proc.ErrGone) {
			s.log(id).Error("a server cannot be watched", "error", err)
			continue
		}
		s.watch(ctx, id, agent)
	}
	return nil
}

func (s *supervisor) knows(id string) (watched, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[id], s.down[id]
}

// watch takes over the agent, which may be nil.
func (s *supervisor) watch(ctx context.Context, id string, agent *proc.Process) {
	s.mu.Lock()
	s.watched[id] = true
	isBack := s.down[id]
	delete(s.down, id)
	s.mu.Unlock()
	if isBack {
		s.p.events.Tell(id, status.ServerActive)
	}
	s.wait.Go(func() {
		if err := s.follow(ctx, id, agent); err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) {
			s.log(id).Error("a server is not watched for the moment", "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watched, id)
	})
}

// follow keeps an agent beside the server's database, until both are gone or something fails: fs.ErrNotExist when
// the server was deleted. Whether the database lives is asked twice, at once and after the delay: of two that are
// killed together, the agent may be the first to go.
func (s *supervisor) follow(ctx context.Context, id string, agent *proc.Process) error {
	for {
		how := "never started"
		if agent != nil {
			exit, err := agent.Wait(ctx)
			agent.Release()
			if err != nil {
				return err
			}
			how = exit.String()
		}
		for _, delay := range []time.Duration{0, agentRestartDelay} {
			if !pause.For(ctx, delay) {
				return context.Cause(ctx)
			}
			lives, err := s.lives(ctx, id)
			if err != nil {
				return err
			}
			if !lives {
				s.log(id).Warn("the server is down", "agent", how)
				s.tellDown(id)
				return nil
			}
		}
		if started, err := s.p.recordedAgent(id); err == nil {
			// Whoever was making the server has started it meanwhile.
			agent = started
			continue
		}
		s.log(id).Warn("the server's agent is started again", "agent", how)
		agent = s.revive(ctx, id)
	}
}

// lives waits for whoever makes or deletes the server just now.
func (s *supervisor) lives(ctx context.Context, id string) (bool, error) {
	release, err := s.p.folder.locks.instance(ctx, id)
	if err != nil {
		return false, err
	}
	defer release()
	if _, err := s.p.folder.readServer(id); err != nil {
		return false, err
	}
	return s.p.serverLives(id)
}

// revive starts the agent; nil when that failed, or it is gone again already.
func (s *supervisor) revive(ctx context.Context, id string) *proc.Process {
	err := s.start(ctx, id)
	if err == nil {
		var agent *proc.Process
		if agent, err = s.p.recordedAgent(id); err == nil {
			return agent
		}
	}
	if ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, proc.ErrGone) && !errors.Is(err, errOff) {
		s.log(id).Error("the server's agent could not be started", "error", err)
	}
	return nil
}

func (s *supervisor) tellDown(id string) {
	s.mu.Lock()
	s.down[id] = true
	s.mu.Unlock()
	s.p.events.Tell(id, status.ServerShutdown)
}
