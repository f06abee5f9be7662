package gormstore

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

func openForWriting(t *testing.T) *Store {
	t.Helper()
	cfg := Config{Driver: DriverSQLite, DSN: filepath.Join(t.TempDir(), "odd name?#%.db")}
	require.NoError(t, Migrate(t.Context(), cfg))
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return s
}

func setQuota(n int) func(*unit) error {
	return func(u *unit) error {
		return u.db.Create(&quotaLimitRow{ProjectID: "p", Resource: store.ResourceRAM, HardLimit: n}).Error
	}
}

// together holds the writer until all units wait, so that they share a transaction.
func together(t *testing.T, s *Store, units ...func(*unit) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	outcomes := make([]chan error, len(units))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_ = s.writer.write(t.Context(), "hold", func(*unit) error {
			close(held)
			<-hold
			return nil
		})
	}()
	<-held
	w := s.writer.(*groupWriter)
	for i, fn := range units {
		p := &pending{ctx: t.Context(), fn: fn, outcome: make(chan error, 1)}
		outcomes[i] = p.outcome
		w.work <- p
	}
	close(hold)
	// Its own outcome does not count: a lost transaction takes the holding unit along.
	<-answered
	results := make([]error, len(units))
	for i, outcome := range outcomes {
		results[i] = <-outcome
	}
	return results
}

func TestAFailedWriteTakesBackNothingButItself(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	refused := errors.New("refused")
	results := together(t, s,
		setQuota(1),
		func(u *unit) error {
			return errors.Join(u.takeQuota("p", map[store.Resource]int{store.ResourceBackups: 3}, nil), refused)
		},
		func(*unit) error { panic("oops") },
		setQuota(2),
		func(u *unit) error { return u.takeQuota("p", map[store.Resource]int{store.ResourceRAM: 1}, nil) },
	)
	require.NoError(t, results[0])
	require.ErrorIs(t, results[1], refused)
	require.ErrorContains(t, results[2], "oops")
	require.True(t, duplicated(results[3]), "%v", results[3])
	require.NoError(t, results[4])
	used, err := s.QuotaInUse(t.Context(), "p")
	require.NoError(t, err)
	assert.Equal(t, map[store.Resource]int{store.ResourceRAM: 1}, used)
}

func TestALostTransactionFailsAllThatSharedIt(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	results := together(t, s,
		setQuota(1),
		// What SQLite does by itself when the disk is full.
		func(u *unit) error { return errors.Join(u.db.Exec("ROLLBACK").Error, errors.New("disk full")) },
	)
	require.Error(t, results[0])
	require.Error(t, results[1])
	limits, err := s.QuotaLimits(t.Context(), "p")
	require.NoError(t, err)
	assert.Empty(t, limits)
	require.NoError(t, s.writer.write(t.Context(), "go on", setQuota(3)))
}

func TestAWriteWhoseCallerIsGoneIsNotRun(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		err := s.writer.write(ctx, "never", func(*unit) error {
			t.Error("it ran")
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestAClosedStoreRefusesWrites(t *testing.T) {
	s := openForWriting(t)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.writer.write(t.Context(), "late", setQuota(1)), errClosed)
	require.Error(t, s.Ping(t.Context()))
}

func TestASentMessageIsGoneAtOnceAndDeletedWithTheNextWrite(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	tell := func(u *unit) error { return u.tell("p", "task", &eventv1.Event{}) }
	stored := func() (n int64) {
		require.NoError(t, s.db.read.Model(&outboxRow{}).Count(&n).Error)
		return n
	}
	for range 3 {
		require.NoError(t, s.writer.write(t.Context(), "tell", tell))
	}
	pending, err := s.Pending(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	require.NoError(t, s.Sent(t.Context(), []int64{pending[0].ID, pending[1].ID}))
	assert.EqualValues(t, 3, stored())
	left, err := s.Pending(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Greater(t, left[0].ID, pending[1].ID)

	require.NoError(t, s.writer.write(t.Context(), "go on", setQuota(1)))
	assert.EqualValues(t, 1, stored())
	assert.Empty(t, s.sent.all())
}

func TestWorkMakesRoomForWhatUsersWaitFor(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	w := s.writer.(*groupWriter)
	hold, held := make(chan struct{}), make(chan struct{})
	var order []string
	var outcomes []*pending
	queue := func(to chan *pending, name string) {
		p := &pending{ctx: t.Context(), outcome: make(chan error, 1), fn: func(*unit) error {
			order = append(order, name)
			return nil
		}}
		to <- p
		outcomes = append(outcomes, p)
	}
	first := &pending{ctx: t.Context(), outcome: make(chan error, 1), fn: func(*unit) error {
		close(held)
		<-hold
		return nil
	}}
	w.work <- first
	<-held
	queue(w.work, "work")
	queue(w.work, "work")
	queue(w.users, "user")
	queue(w.users, "user")
	close(hold)
	require.NoError(t, <-first.outcome)
	for _, p := range outcomes {
		require.NoError(t, <-p.outcome)
	}
	assert.Equal(t, []string{"user", "user", "work", "work"}, order)
}
