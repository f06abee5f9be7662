package operation

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

const (
	// kept is how many outcomes stay on disk: a task has few steps, and only the newest task asks again.
	kept = 64
	// notesLimit is how many records are added to the file before it is written anew.
	notesLimit = kept
)

// Operation is a changing call.
type Operation struct {
	// ID is "<task id>/<step>".
	ID    string
	Epoch int64
	// Kind is the call's name; one id is of one kind.
	Kind string
	// Mark is stored before the work begins, the first time. Work always gets the stored one.
	Mark string
	// Limit bounds the work's time.
	Limit time.Duration
	// Anew says that the work brings about a state that others may have changed since: asked for again, it is done again,
	// whatever its outcome was, so nothing of it is kept. It must cost little where the state is as it shall be.
	Anew bool
}

// Work does an operation. It must be safe to run again after a crash at any point.
type Work func(ctx context.Context, mark string, tell func(message string)) error

// errStopping is the cause of the context of work when the agent stops: no outcome is kept then.
var errStopping = errors.New("the agent stops")

// superseded is the reason of a refusal to work for a run that has lost its lease.
const superseded = "RUN_SUPERSEDED"

// Journal runs operations, one after the other, and remembers their outcomes.
type Journal struct {
	log *slog.Logger

	// ctx is the life of the agent, not of a caller.
	ctx    context.Context //nolint:containedctx // an operation belongs to the agent
	cancel context.CancelCauseFunc
	runs   sync.WaitGroup
	// turn is held by the one operation that works.
	turn chan struct{}

	mu    sync.Mutex
	notes *durable.Log
	// epoch is the highest seen.
	epoch int64
	// entries are in order of their beginning.
	entries []*entry
	running map[string]*run
}

// note is a record of the file: the highest epoch at the time, and how an operation stands, if it tells of one.
type note struct {
	Epoch     int64  `json:"epoch"`
	Operation *entry `json:"operation,omitempty"`
}

type entry struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Mark string `json:"mark,omitempty"`
	// Done is false while it works, and after a crash in the middle.
	Done    bool     `json:"done"`
	Failure *failure `json:"failure,omitempty"`
}

type failure struct {
	Kind     errs.Kind `json:"kind"`
	Reason   string    `json:"reason"`
	Sentence string    `json:"sentence"`
}

// Open reads the journal; a missing file is an empty one.
func Open(path string, log *slog.Logger) (*Journal, error) {
	j := &Journal{log: log, turn: make(chan struct{}, 1), running: map[string]*run{}}
	var err error
	if j.notes, err = durable.OpenLog(path, j.read); err != nil {
		return nil, err
	}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	return j, nil
}

// read takes a record over.
func (j *Journal) read(record []byte) error {
	var n note
	if err := json.Unmarshal(record, &n); err != nil {
		return err
	}
	j.epoch = n.Epoch
	if n.Operation == nil {
		return nil
	}
	if known := j.find(n.Operation.ID); known != nil {
		*known = *n.Operation
		return nil
	}
	j.entries = append(j.entries, n.Operation)
	j.forget()
	return nil
}

// Close tells the running work to end and waits for it.
func (j *Journal) Close() {
	j.mu.Lock()
	j.cancel(errStopping)
	j.mu.Unlock()
	j.runs.Wait()
	_ = j.notes.Close() // all of it is on the disk
}

// Do runs an operation or joins it, and answers with its outcome. Progress goes to tell, in the caller's goroutine;
// when the caller's context ends or tell fails, Do returns and the operation goes on. Conflict with the reason
// RUN_SUPERSEDED: a newer run has been here.
func (j *Journal) Do(ctx context.Context, op Operation, tell func(message string) error, work Work) error {
	r, err := j.begin(op, work) //nolint:contextcheck // an operation outlives its caller
	if err != nil || r == nil {
		return err
	}
	return r.follow(ctx, tell)
}

// begin gives the run of an operation, or nil when it has ended well before.
func (j *Journal) begin(op Operation, work Work) (*run, error) {
	if op.ID == "" || op.Epoch <= 0 {
		return nil, errs.New(errs.Invalid, "OPERATION_MISSING", "A changing call needs an operation with an id and an epoch.")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx.Err() != nil {
		return nil, errs.New(errs.Unavailable, "AGENT_STOPPING", "The guest agent stops.")
	}
	if err := j.check(op.Epoch); err != nil {
		return nil, err
	}
	known := j.find(op.ID)
	if known != nil && known.Kind != op.Kind {
		return nil, errs.New(errs.Conflict, "OPERATION_REUSED", "The operation %s is a %s, not a %s.", op.ID, known.Kind, op.Kind)
	}
	if r := j.running[op.ID]; r != nil {
		r.epoch = op.Epoch
		return r, j.see(op.Epoch)
	}
	if known != nil && known.Done && !known.again() {
		return nil, errors.Join(known.outcome(), j.see(op.Epoch))
	}
	if op.Anew {
		if err := j.see(op.Epoch); err != nil {
			return nil, err
		}
		return j.start(op, &entry{ID: op.ID, Kind: op.Kind, Mark: op.Mark}, work), nil
	}
	if known == nil {
		known = &entry{ID: op.ID, Kind: op.Kind, Mark: op.Mark}
		j.entries = append(j.entries, known)
		j.forget()
	}
	known.Done, known.Failure = false, nil
	j.epoch = op.Epoch
	if err := j.keep(known); err != nil {
		return nil, err
	}
	return j.start(op, known, work), nil
}

func (j *Journal) start(op Operation, known *entry, work Work) *run {
	r := newRun(op.Epoch)
	j.running[op.ID] = r
	j.runs.Go(func() { j.work(op, known, r, work) })
	return r
}

// check refuses an old epoch.
func (j *Journal) check(epoch int64) error {
	if epoch < j.epoch {
		return errs.New(errs.Conflict, superseded, "Epoch %d is over: %d has been seen.", epoch, j.epoch)
	}
	return nil
}

// see keeps a new epoch.
func (j *Journal) see(epoch int64) error {
	if epoch == j.epoch {
		return nil
	}
	j.epoch = epoch
	return j.keep(nil)
}

func (j *Journal) work(op Operation, known *entry, r *run, work Work) {
	ctx, cancel := context.WithTimeoutCause(j.ctx, op.Limit, errs.New(errs.Unavailable, "OPERATION_TIMEOUT",
		"%s did not end within %s.", op.Kind, op.Limit))
	defer cancel()
	err := j.inTurn(ctx, r, func() error { return work(ctx, known.Mark, r.tell) })
	if err != nil {
		err = explain(ctx, op, err)
		j.log.Warn("operation failed", "operation_id", op.ID, "action", op.Kind, "error", err, "cause", errors.Unwrap(err))
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, op.ID)
	// Those who wait need not wait for the disk, so they go first: work that is asked for again after a crash finds itself
	// done.
	r.end(err)
	runtime.Gosched()
	// What was stopped or never began has no outcome: asked again, it runs again.
	if op.Anew {
		return
	}
	if err == nil || (j.ctx.Err() == nil && !errs.IsReason(err, superseded)) {
		known.Done, known.Failure = true, failureOf(err)
		if saving := j.keep(known); saving != nil {
			known.Done = false
			j.log.Error("the outcome of an operation could not be saved", "operation_id", op.ID, "error", saving)
		}
	}
}

// inTurn waits for the operation before to end.
func (j *Journal) inTurn(ctx context.Context, r *run, do func() error) error {
	select {
	case j.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-j.turn }()
	j.mu.Lock()
	err := j.check(r.epoch)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	return do()
}

func (j *Journal) find(id string) *entry {
	at := slices.IndexFunc(j.entries, func(e *entry) bool { return e.ID == id })
	if at < 0 {
		return nil
	}
	return j.entries[at]
}

// forget drops the oldest outcomes, and no operation that still works.
func (j *Journal) forget() {
	surplus := len(j.entries) - kept
	j.entries = slices.DeleteFunc(j.entries, func(e *entry) bool {
		if surplus <= 0 || j.running[e.ID] != nil {
			return false
		}
		surplus--
		return true
	})
}

// keep writes how an operation stands, if there is one, and the epoch. Once in a while that is all that is known.
func (j *Journal) keep(known *entry) error {
	if j.notes.Added() < notesLimit {
		return j.notes.Add(note{Epoch: j.epoch, Operation: known})
	}
	all := []any{note{Epoch: j.epoch}}
	for _, e := range j.entries {
		all = append(all, note{Epoch: j.epoch, Operation: e})
	}
	return j.notes.Replace(all...)
}

// again says whether a finished operation is worth another try: the cause may be gone.
func (e *entry) again() bool {
	return e.Failure != nil && (e.Failure.Kind == errs.Internal || e.Failure.Kind == errs.Unavailable)
}

func (e *entry) outcome() error {
	if e.Failure == nil {
		return nil
	}
	return errs.New(e.Failure.Kind, e.Failure.Reason, "%s", e.Failure.Sentence)
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	shown := errs.From(err)
	return &failure{Kind: shown.Kind, Reason: shown.Reason, Sentence: shown.Sentence}
}

// explain gives every failure a sentence: the caller sees nothing else of it. Errors of the database are sentences
// already, so what is left are files and processes, whose errors hold no secrets.
func explain(ctx context.Context, op Operation, err error) error {
	var shown *errs.Error
	if errors.As(err, &shown) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && errors.As(cause, &shown) {
		return shown.Because(err)
	}
	if errors.Is(context.Cause(ctx), errStopping) {
		return errs.New(errs.Unavailable, "AGENT_STOPPING", "The guest agent stops.").Because(err)
	}
	return errs.New(errs.Internal, "OPERATION_FAILED", "%s failed: %v.", op.Kind, err).Because(err)
}
