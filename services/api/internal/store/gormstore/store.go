package gormstore

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Store implements store.Store.
type Store struct {
	db     *database
	writer writer
	// memory is nil where other programs write too.
	memory *memory
	// sent is nil where a deletion need not wait for another write.
	sent *sent
	// committed has room for one signal: several commits before the relay looks are one.
	committed chan struct{}
	now       func() time.Time
	logger    *slog.Logger
	// makeRoom is nil where nobody keeps room in reserve.
	makeRoom func()
}

var _ store.Store = (*Store)(nil)

// writer runs units.
type writer interface {
	// write runs the unit until it is committed or refused; its error is the unit's own, translated.
	write(ctx context.Context, doing string, fn func(*unit) error) error
	// writeFirst is write for what users wait for.
	writeFirst(ctx context.Context, doing string, fn func(*unit) error) error
	close()
}

// Option changes how a store is opened.
type Option func(*Store)

// WithClock gives the store a clock other than time.Now.
func WithClock(now func() time.Time) Option {
	return func(s *Store) { s.now = now }
}

// WithRoom has makeRoom called when the disk of a SQLite database is full; the write is then tried once more.
func WithRoom(makeRoom func()) Option {
	return func(s *Store) { s.makeRoom = makeRoom }
}

// Open opens a database that Migrate has brought up to date.
func Open(ctx context.Context, cfg Config, logger *slog.Logger, options ...Option) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	db, err := openDatabase(cfg)
	if err != nil {
		return nil, err
	}
	if err := db.migrated(ctx, cfg.Driver); err != nil {
		return nil, errors.Join(err, db.close())
	}
	s := &Store{db: db, committed: make(chan struct{}, 1), now: time.Now, logger: logger}
	for _, option := range options {
		option(s)
	}
	if cfg.Driver != DriverSQLite {
		s.writer = &rowLockWriter{db: db.read, now: s.clock, wrote: s.signal}
		return s, nil
	}
	write, err := db.takeWriter(ctx)
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	s.memory, s.sent = newMemory(), newSent()
	s.writer = startGroupWriter(&groupWriter{
		db: write, memory: s.memory, sent: s.sent, now: s.clock, wrote: s.signal, logger: logger,
	})
	if s.makeRoom != nil {
		s.writer = roomWriter{writer: s.writer, makeRoom: s.makeRoom}
	}
	return s, nil
}

// Close waits for the writes that have begun, refuses later ones, and closes the connections.
func (s *Store) Close() error {
	s.writer.close()
	return s.db.close()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate("ping the database", s.db.pool.PingContext(ctx))
}

// reading is for queries outside units. SQLite's take microseconds, less than watching a context that may end.
func (s *Store) reading(ctx context.Context) *gorm.DB {
	if s.db.unwatched {
		ctx = context.WithoutCancel(ctx)
	}
	return s.db.read.WithContext(ctx)
}

// clock is the time at the precision in which it is stored, so that what a write answers is what a read will.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

func (s *Store) signal() {
	select {
	case s.committed <- struct{}{}:
	default:
	}
}
