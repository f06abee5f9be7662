package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
)

func newGroup() *lifecycle.Group { return lifecycle.New(slog.New(slog.DiscardHandler)) }

func TestPartsStopInReverseOrderEachAfterTheOther(t *testing.T) {
	g := newGroup()
	var order []string
	g.Defer("store", func() error { order = append(order, "store"); return nil })
	for _, name := range []string{"relay", "server"} {
		g.Go(t.Context(), name, func(ctx context.Context) error {
			<-ctx.Done()
			order = append(order, name)
			return ctx.Err()
		})
	}
	require.NoError(t, g.Stop())
	assert.Equal(t, []string{"server", "relay", "store"}, order)
	require.NoError(t, g.Stop())
}

func TestAPartDoesNotSeeTheEndOfTheContextItWasStartedWith(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := newGroup()
	cause := make(chan error, 1)
	g.Go(ctx, "part", func(ctx context.Context) error {
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil
	})
	cancel()
	require.NoError(t, g.Wait(ctx))
	assert.Empty(t, cause)
	require.NoError(t, g.Stop())
	require.ErrorIs(t, <-cause, lifecycle.ErrStopped)
}

func TestAPartThatFailsEndsTheWait(t *testing.T) {
	g := newGroup()
	g.Go(t.Context(), "listener", func(context.Context) error { return errors.New("address in use") })
	err := g.Wait(t.Context())
	require.EqualError(t, err, "listener: address in use")
	require.EqualError(t, g.Stop(), "stop listener: address in use")
}

func TestAPartThatEndsByItselfIsAFault(t *testing.T) {
	g := newGroup()
	g.Go(t.Context(), "relay", func(context.Context) error { return nil })
	require.EqualError(t, g.Wait(t.Context()), "relay: it ended by itself")
	require.NoError(t, g.Stop())
}

func TestEveryFaultOfStoppingIsTold(t *testing.T) {
	g := newGroup()
	g.Defer("one", func() error { return errors.New("first") })
	g.Defer("two", func() error { return errors.New("second") })
	require.EqualError(t, g.Stop(), "stop two: second\nstop one: first")
}
