package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// ErrStopped is the cause of a part's context ending in order.
var ErrStopped = errors.New("the program stops")

// Group owns the parts of a program.
type Group struct {
	logger *slog.Logger
	failed chan error

	mu    sync.Mutex
	parts []part
}

type part struct {
	name string
	stop func() error
}

// New makes an empty group.
func New(logger *slog.Logger) *Group {
	return &Group{logger: logger, failed: make(chan error, 1)}
}

// Go starts a part that runs until its context ends. It gets the values of the given context, and not its end: a part
// is stopped by the group, in its turn. One that ends before that with an error, or without one, stops the group.
func (g *Group) Go(ctx context.Context, name string, run func(context.Context) error) {
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		err := run(running)
		if running.Err() == nil {
			g.fail(name, err)
		}
		ended <- err
	}()
	g.push(name, func() error {
		cancel(ErrStopped)
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrStopped) {
			return err
		}
		return nil
	})
}

// Defer has something released in its turn: what stands after it has ended by then, what stands before it has not.
func (g *Group) Defer(name string, release func() error) { g.push(name, release) }

// Wait waits until the context ends or a part ends by itself, whose error it answers with. It stops nothing.
func (g *Group) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-g.failed:
		return err
	}
}

// Stop ends all parts, last one first, and waits for each. It may be called again, and then does nothing.
func (g *Group) Stop() error {
	var faults []error
	for {
		last, ok := g.pop()
		if !ok {
			return errors.Join(faults...)
		}
		g.logger.Debug("stop", "part", last.name)
		if err := last.stop(); err != nil {
			faults = append(faults, fmt.Errorf("stop %s: %w", last.name, err))
		}
	}
}

func (g *Group) fail(name string, err error) {
	if err == nil {
		err = errors.New("it ended by itself")
	}
	select {
	case g.failed <- fmt.Errorf("%s: %w", name, err):
	default:
		// Another part was first; this one's error comes out of Stop.
	}
}

func (g *Group) push(name string, stop func() error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.parts = append(g.parts, part{name: name, stop: stop})
}

func (g *Group) pop() (part, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.parts) == 0 {
		return part{}, false
	}
	last := g.parts[len(g.parts)-1]
	g.parts = g.parts[:len(g.parts)-1]
	return last, true
}
