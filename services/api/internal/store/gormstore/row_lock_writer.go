package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

// rowLockWriter runs each unit in a transaction of its own, on databases that lock rows. A unit that the database
// gave up in favour of another is run again.
type rowLockWriter struct {
	db    *gorm.DB
	now   func() time.Time
	wrote func()
}

const (
	maxAttempts  = 12
	firstBackoff = 4 * time.Millisecond
)

// readCommitted makes reads after a lock see what its former holder committed; MySQL's default would show an older
// snapshot.
var readCommitted = &sql.TxOptions{Isolation: sql.LevelReadCommitted}

// errAgain asks for another run, in which the unit will see what another one has committed meanwhile.
var errAgain = errors.New("overtaken by another transaction")

func (w *rowLockWriter) write(ctx context.Context, doing string, fn func(*unit) error) error {
	backoff := firstBackoff
	for attempt := 1; ; attempt++ {
		err := w.once(ctx, fn)
		if err == nil || attempt == maxAttempts || !repeatable(err) && !errors.Is(err, errAgain) {
			return translate(doing, err)
		}
		if !pause.For(ctx, backoff/2+rand.N(backoff)) { //nolint:gosec // jitter
			return context.Cause(ctx)
		}
		backoff = min(2*backoff, time.Second)
	}
}

// writeFirst is write: here nobody waits for another one's transaction.
func (w *rowLockWriter) writeFirst(ctx context.Context, doing string, fn func(*unit) error) error {
	return w.write(ctx, doing, fn)
}

func (w *rowLockWriter) once(ctx context.Context, fn func(*unit) error) error {
	u := &unit{now: w.now(), shared: true}
	err := w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		u.db = tx
		if err := fn(u); err != nil || len(u.messages) == 0 {
			return err
		}
		return tx.Create(&u.messages).Error
	}, readCommitted)
	if err == nil && len(u.messages) > 0 {
		w.wrote()
	}
	return err
}

// close has nothing to wait for: closing the connections waits for their transactions.
func (w *rowLockWriter) close() {}
