package gormstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"runtime/debug"
	"time"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// maxGroup bounds how many units share a transaction, and so how long the first of them waits for the last.
const maxGroup = 64

// errClosed refuses writes after Close.
var errClosed = errs.New(errs.Unavailable, "STORE_CLOSED", "The service is stopping.")

// groupWriter is SQLite's one writer. Its loop takes the units that wait, runs them in one transaction and answers
// them after the commit: at 50 in flight one fsync serves all, where one each would make the last wait for 50. What
// users wait for shares its transactions with nothing else; the work behind it gets its turns in between.
type groupWriter struct {
	// db is the loop's alone.
	db          *gorm.DB
	checkpoints checkpoints
	memory      *memory
	sent        *sent
	now         func() time.Time
	wrote       func()
	logger      *slog.Logger

	users   chan *pending
	work    chan *pending
	closing chan struct{}
	done    chan struct{}
}

// pending is a unit that waits for its outcome.
type pending struct {
	ctx     context.Context
	fn      func(*unit) error
	outcome chan error
	// err is the unit's own; the transaction's comes on top.
	err error
	// messages and changed are what it leaves, if it succeeds.
	messages []outboxRow
	changed  written
}

// startGroupWriter starts the loop, which close ends.
func startGroupWriter(w *groupWriter) *groupWriter {
	w.users = make(chan *pending, 4*maxGroup)
	w.work = make(chan *pending, 4*maxGroup)
	w.closing = make(chan struct{})
	w.done = make(chan struct{})
	go w.loop()
	return w
}

func (w *groupWriter) write(ctx context.Context, doing string, fn func(*unit) error) error {
	return w.wait(ctx, w.work, doing, fn)
}

func (w *groupWriter) writeFirst(ctx context.Context, doing string, fn func(*unit) error) error {
	return w.wait(ctx, w.users, doing, fn)
}

// wait waits for the commit even when its caller gives up meanwhile, because only then the outcome is known: it
// is a matter of milliseconds. A unit whose caller gave up before its turn is not run.
func (w *groupWriter) wait(ctx context.Context, queue chan<- *pending, doing string, fn func(*unit) error) error {
	p := &pending{ctx: ctx, fn: fn, outcome: make(chan error, 1)}
	select {
	case <-w.closing:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	case queue <- p:
	}
	select {
	case err := <-p.outcome:
		return translate(doing, err)
	case <-w.done:
	}
	select {
	case err := <-p.outcome:
		return translate(doing, err)
	default:
		return errClosed
	}
}

func (w *groupWriter) close() {
	close(w.closing)
	<-w.done
}

func (w *groupWriter) loop() {
	defer close(w.done)
	next, other := w.users, w.work
	for {
		// Both have their turns, whichever is the busier.
		select {
		case first := <-next:
			w.commit(first, next)
			next, other = other, next
			continue
		default:
		}
		select {
		case first := <-next:
			w.commit(first, next)
			next, other = other, next
		case first := <-other:
			w.commit(first, other)
		case <-w.checkpoints.due():
			if err := w.checkpoints.make(w.db); err != nil {
				w.logger.Warn("SQLite's log is not folded into the database", "error", err)
			}
		case <-w.closing:
			w.drain()
			return
		}
	}
}

// drain runs what was queued before the store closed, and deletes what was sent.
func (w *groupWriter) drain() {
	for {
		select {
		case first := <-w.users:
			w.commit(first, w.users)
		case first := <-w.work:
			w.commit(first, w.work)
		default:
			if err := w.transact(func(written) error { return nil }); err != nil {
				w.logger.Warn("sent messages are left in the outbox, to be sent again", "error", err)
			}
			return
		}
	}
}

// commit runs first and all that wait behind it in its queue in one transaction and answers them.
func (w *groupWriter) commit(first *pending, queue <-chan *pending) {
	group := []*pending{first}
	var messages []outboxRow
	err := w.transact(func(changed written) error {
		for next := first; next != nil; next = w.next(&group, queue) {
			if err := w.runInSavepoint(next, changed); err != nil {
				return err
			}
			maps.Copy(changed, next.changed)
			messages = append(messages, next.messages...)
		}
		return post(w.db, messages)
	})
	for _, p := range group {
		p.outcome <- cmp.Or(err, p.err)
	}
	if err == nil && len(messages) > 0 {
		w.wrote()
	}
}

// transact is a transaction on the writer's own connection. A failed COMMIT may leave it open, so it is rolled back;
// where SQLite has done that already, the ROLLBACK has nothing to do and says so, which is no failure.
func (w *groupWriter) transact(fn func(changed written) error) error {
	if err := exec(w.db, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	changed, sent := written{}, w.sent.all()
	err := fn(changed)
	if err == nil {
		err = deleteMessages(w.db, sent)
	}
	if err == nil {
		w.memory.committing(changed)
		if err = exec(w.db, "COMMIT"); err != nil {
			changed = nil
		}
		w.memory.committed(changed)
	}
	if err != nil {
		_ = exec(w.db, "ROLLBACK")
		return err
	}
	w.sent.deleted(sent)
	w.checkpoints.since++
	return nil
}

func (w *groupWriter) next(group *[]*pending, queue <-chan *pending) *pending {
	if len(*group) == maxGroup || queue == w.work && len(w.users) > 0 {
		return nil
	}
	// Whoever is on the way here is let in before the group commits: one that comes a moment later waits for this commit and
	// then for one of its own.
	if len(queue) == 0 {
		runtime.Gosched()
	}
	select {
	case p := <-queue:
		*group = append(*group, p)
		return p
	default:
		return nil
	}
}

const savepoint = "unit"

// runInSavepoint leaves the unit's outcome in it. An error of its own is one of the whole transaction: a full disk
// makes SQLite roll all of it back, and then the savepoint is gone.
func (w *groupWriter) runInSavepoint(p *pending, before written) error {
	if p.ctx.Err() != nil {
		p.err = context.Cause(p.ctx)
		return nil //nolint:nilerr // the unit's failure is not the transaction's
	}
	if err := exec(w.db, "SAVEPOINT "+savepoint); err != nil {
		return err
	}
	u := &unit{db: w.db, now: w.now(), changed: written{}, recall: func(id string) (instanceRow, bool) {
		if row, known := before[id]; known {
			return row, true
		}
		return w.memory.recall(id)
	}}
	if p.err = w.run(u, p.fn); p.err != nil {
		if err := exec(w.db, "ROLLBACK TO "+savepoint); err != nil {
			return errors.Join(p.err, err)
		}
	}
	if p.err == nil {
		p.messages, p.changed = u.messages, u.changed
	}
	return exec(w.db, "RELEASE "+savepoint)
}

// run turns a panic into the unit's failure: it must not end the loop that all others wait for.
func (w *groupWriter) run(u *unit, fn func(*unit) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			w.logger.Error("a write panicked", "cause", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("a write panicked: %v", cause)
		}
	}()
	return fn(u)
}
