package local

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
)

const (
	// killLimit is how long what did not stop in time may take to be killed and unmounted.
	killLimit = 15 * time.Second
	// startsAtOnce and stopsAtOnce bound how many servers are started or stopped at a time.
	startsAtOnce = 8
	stopsAtOnce  = 32
)

// bringBack starts every server that shall run and does not, as a host does that comes up.
func (s *supervisor) bringBack(ctx context.Context) error {
	s.bringingBack.Store(true)
	defer s.bringingBack.Store(false)
	ids, err := s.p.folder.serverIDs()
	if err != nil {
		return err
	}
	inParallel(ids, startsAtOnce, func(id string) {
		err := s.start(ctx, id)
		switch {
		case ctx.Err() != nil, errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errOff):
			s.tellDown(id)
		case err != nil:
			s.log(id).Error("a server could not be brought back", "error", err)
			s.tellDown(id)
		default:
			s.p.events.Tell(id, status.ServerActive)
		}
	})
	return nil
}

// start starts a server if it is still there and does not run. fs.ErrNotExist: it was deleted.
func (s *supervisor) start(ctx context.Context, id string) error {
	release, err := s.p.folder.locks.instance(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	server, err := s.p.folder.readServer(id)
	if err != nil {
		return err
	}
	return s.p.startServer(ctx, server)
}

// stopAll shuts every server down, as a host does that goes down. Each has a limit of its own.
func (s *supervisor) stopAll(ctx context.Context) error {
	ids, err := s.p.folder.serverIDs()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var faults []error
	inParallel(ids, stopsAtOnce, func(id string) {
		if err := s.stop(ctx, id); err != nil {
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, err)
		}
	})
	return errors.Join(faults...)
}

func (s *supervisor) stop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, s.p.cfg.StopLimit+killLimit)
	defer cancel()
	release, err := s.p.folder.locks.instance(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	return s.p.stopServer(ctx, id)
}

// inParallel does it for all, at most so many at once.
func inParallel(ids []string, most int, do func(id string)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, most)
	for _, id := range ids {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			do(id)
		})
	}
	wait.Wait()
}
