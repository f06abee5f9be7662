package flow

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// The codes of failures that flow itself detects; all others are the reasons of the steps' errors.
const (
	// CodeStepTimeout is a step that did not end within its limit.
	CodeStepTimeout = "STEP_TIMEOUT"
	// CodeTaskTimeout is a task that did not end within its action's limit.
	CodeTaskTimeout = "TASK_TIMEOUT"
	// CodePanic is a fault in the program.
	CodePanic = "PANIC"
	// CodeUndoFailed is a cancelled task of which something is left over.
	CodeUndoFailed = "UNDO_FAILED"
	// CodeUnknownAction is a task of an action that this taskmanager does not know.
	CodeUnknownAction = "UNKNOWN_ACTION"
)

const reasonSuperseded = "RUN_SUPERSEDED"

// Why a run ended without recording the task's end. The task goes on with its next claim.
var (
	// ErrSuperseded says that another run has taken over, or that the task was ended from elsewhere.
	ErrSuperseded = errors.New("flow: the run was superseded")
	// ErrLeaseLost says that the journal was out of reach for as long as the lease.
	ErrLeaseLost = errors.New("flow: the lease ran out")
	// ErrInterrupted says that the worker shuts down.
	ErrInterrupted = errors.New("flow: interrupted by a shutdown")
	// ErrRefused says that the journal did not accept a record.
	ErrRefused = errors.New("flow: the journal refused a record")
)

// IsSuperseded says whether the api or a guest refused a call because a later run has taken over. A step passes such an
// error on.
func IsSuperseded(err error) bool { return errs.IsReason(err, reasonSuperseded) }

// errStopped ends a step because the journal asked the run to stop.
var errStopped = errors.New("the task was asked to stop")

// Terminal says that trying again would not help. The reason becomes the task's error code; the sentence of err is
// shown to the user.
func Terminal(reason string, err error) error { return &terminal{reason: reason, err: err} }

type terminal struct {
	reason string
	err    error
}

func (t *terminal) Error() string { return t.err.Error() }
func (t *terminal) Unwrap() error { return t.err }

// transient says whether a step's error may pass by itself. Unavailable does, and so does an Internal without a
// reason, which is how gRPC reports a stream that the network broke.
func transient(err error) bool {
	if isTerminal(err) {
		return false
	}
	if errs.IsKind(err, errs.Unavailable) {
		return true
	}
	s, fromPeer := status.FromError(err)
	return fromPeer && s.Code() == codes.Internal && len(s.Details()) == 0
}

func isTerminal(err error) bool {
	var final *terminal
	return errors.As(err, &final)
}

// failureOf makes of a step's error what the task's owner is told.
func failureOf(stepName string, err error) *taskv1.TaskError {
	var final *terminal
	shown := errs.From(err)
	failure := &taskv1.TaskError{Step: stepName, Code: shown.Reason, Message: shown.Sentence}
	if errors.As(err, &final) {
		failure.Code = final.reason
	}
	return failure
}

func stepTimeout(limit time.Duration, last error) error {
	return outOfTime(CodeStepTimeout, "it took longer than "+limit.String(), last)
}

func taskTimeout(limit time.Duration, last error) error {
	return outOfTime(CodeTaskTimeout, "the whole task took longer than "+limit.String(), last)
}

// outOfTime names what was last in the way, since that is what the reader can do something about.
func outOfTime(code, sentence string, last error) error {
	if last != nil {
		sentence += " (" + errs.From(last).Sentence + ")"
	}
	return Terminal(code, errs.New(errs.Unavailable, code, "%s", sentence).Because(last))
}

// maxFault is how many characters Trove stores of a fault.
const maxFault = 255

// Sentence is a failure as users read it: the step, the cause, and what to do, in at most 255 characters. A cause that
// is too long loses its end.
func Sentence(failure *taskv1.TaskError, advice string) string {
	before, after := fmt.Sprintf("%s: ", failure.GetStep()), "; "+advice
	if failure.GetStep() == "" {
		before = ""
	}
	room := maxFault - utf8.RuneCountInString(before) - utf8.RuneCountInString(after)
	return before + shorten(trimStop(failure.GetMessage()), max(room, 0)) + after
}

// trimStop lets a sentence continue.
func trimStop(sentence string) string {
	if n := len(sentence); n > 0 && sentence[n-1] == '.' {
		return sentence[:n-1]
	}
	return sentence
}

func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	if limit < 1 {
		return ""
	}
	return string([]rune(text)[:limit-1]) + "…"
}
