package operation_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/operation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *operation.Journal {
	t.Helper()
	j, err := operation.Open(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(j.Close)
	return j
}

func path(t *testing.T) string { return filepath.Join(t.TempDir(), "operations.log") }

func op(id string, epoch int64) operation.Operation {
	return operation.Operation{ID: id, Epoch: epoch, Kind: "restart", Limit: time.Minute}
}

func silent(string) error { return nil }

// counted counts how often work is done and answers with an error.
func counted(times *int, err error) operation.Work {
	return func(context.Context, string, func(string)) error { *times++; return err }
}

func TestAFinishedOperationIsAnsweredFromDisk(t *testing.T) {
	at, times := path(t), 0
	for epoch := range int64(3) {
		j := open(t, at)
		require.NoError(t, j.Do(t.Context(), op("a", epoch+1), silent, counted(&times, nil)))
		require.NoError(t, j.Do(t.Context(), op("a", epoch+1), silent, counted(&times, nil)))
		j.Close()
	}
	assert.Equal(t, 1, times)
}

func TestWorkThatBringsAboutAStateIsDoneAnew(t *testing.T) {
	j, times := open(t, path(t)), 0
	anew := op("a", 1)
	anew.Anew = true
	for _, outcome := range []error{nil, errs.New(errs.Invalid, "WHY", "Because."), nil} {
		assert.Equal(t, outcome, j.Do(t.Context(), anew, silent, counted(&times, outcome)))
	}
	assert.Equal(t, 3, times)
}

func TestARefusalIsFinalAndAnAccidentIsTriedAgain(t *testing.T) {
	for kind, want := range map[errs.Kind]int{errs.Invalid: 1, errs.Conflict: 1, errs.Internal: 2, errs.Unavailable: 2} {
		at, times := path(t), 0
		for range 2 {
			j := open(t, at)
			err := j.Do(t.Context(), op("a", 1), silent, counted(&times, errs.New(kind, "WHY", "Because.")))
			assert.True(t, errs.IsReason(err, "WHY") && errs.IsKind(err, kind), "%v", err)
			j.Close()
		}
		assert.Equal(t, want, times, "kind %d", kind)
	}
}

func TestEveryFailureIsShownAsASentence(t *testing.T) {
	j, times := open(t, path(t)), 0
	err := j.Do(t.Context(), op("a", 1), silent, counted(&times, errors.New("disk on fire")))
	assert.Equal(t, "restart failed: disk on fire.", errs.From(err).Sentence)
}

func TestAnOperationGoesOnWithoutItsCallerAndIsJoined(t *testing.T) {
	j := open(t, path(t))
	ctx, leave := context.WithCancel(t.Context())
	begun, end := make(chan struct{}), make(chan struct{})
	work := func(ctx context.Context, _ string, tell func(string)) error {
		tell("first")
		close(begun)
		<-end
		tell("second")
		return ctx.Err()
	}
	go func() { <-begun; leave() }()
	require.ErrorIs(t, j.Do(ctx, op("a", 1), silent, work), context.Canceled)

	var told []string
	err := j.Do(t.Context(), op("a", 2), func(message string) error {
		if told = append(told, message); len(told) == 1 {
			close(end)
		}
		return nil
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, told)
}

func TestAnOlderEpochIsRefusedForEver(t *testing.T) {
	at, times := path(t), 0
	j := open(t, at)
	require.NoError(t, j.Do(t.Context(), op("a", 5), silent, counted(&times, nil)))
	j.Close()
	j = open(t, at)
	for _, id := range []string{"a", "b"} {
		err := j.Do(t.Context(), op(id, 4), silent, counted(&times, nil))
		assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED") && errs.IsKind(err, errs.Conflict), "%v", err)
	}
	assert.Equal(t, 1, times)
}

func TestWorkThatWaitsForItsTurnIsNotDoneForASupersededRun(t *testing.T) {
	j := open(t, path(t))
	begun, end := make(chan struct{}), make(chan struct{})
	outcomes := make(chan error, 2)
	go func() {
		outcomes <- j.Do(t.Context(), op("first", 1), silent, func(context.Context, string, func(string)) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	times := 0
	ctx, leave := context.WithCancel(t.Context())
	leave()
	require.Error(t, j.Do(ctx, op("second", 1), silent, counted(&times, nil)))
	require.Error(t, j.Do(ctx, op("third", 2), silent, counted(&times, nil)))
	close(end)
	require.NoError(t, <-outcomes)
	require.NoError(t, j.Do(t.Context(), op("third", 2), silent, nil))
	assert.Equal(t, 1, times)
	// Asked for by a run that is current, it is done after all.
	require.NoError(t, j.Do(t.Context(), op("second", 2), silent, counted(&times, nil)))
	assert.Equal(t, 2, times)
}

func TestStoppedWorkIsDoneAgainWithTheMarkOfTheFirstTime(t *testing.T) {
	at := path(t)
	var marks []string
	work := func(ctx context.Context, mark string, tell func(string)) error {
		if marks = append(marks, mark); len(marks) == 1 {
			tell("begun")
			<-ctx.Done()
		}
		return ctx.Err()
	}
	j := open(t, at)
	begun := make(chan struct{})
	go func() { <-begun; j.Close() }()
	first := op("a", 1)
	first.Mark = "1"
	err := j.Do(t.Context(), first, func(string) error { close(begun); return nil }, work)
	require.True(t, errs.IsReason(err, "AGENT_STOPPING"), "%v", err)
	err = j.Do(t.Context(), first, silent, work)
	require.True(t, errs.IsReason(err, "AGENT_STOPPING"), "%v", err)

	again := op("a", 1)
	again.Mark = "2"
	require.NoError(t, open(t, at).Do(t.Context(), again, silent, work))
	assert.Equal(t, []string{"1", "1"}, marks)
}

func TestWorkThatTakesTooLongEnds(t *testing.T) {
	j := open(t, path(t))
	short := op("a", 1)
	short.Limit = time.Millisecond
	err := j.Do(t.Context(), short, silent, func(ctx context.Context, _ string, _ func(string)) error {
		<-ctx.Done()
		return ctx.Err()
	})
	assert.True(t, errs.IsReason(err, "OPERATION_TIMEOUT"), "%v", err)
}

func TestOneIDIsOfOneKindAndNeedsAnEpoch(t *testing.T) {
	j, times := open(t, path(t)), 0
	require.NoError(t, j.Do(t.Context(), op("a", 1), silent, counted(&times, nil)))
	other := op("a", 1)
	other.Kind = "stop"
	assert.True(t, errs.IsReason(j.Do(t.Context(), other, silent, nil), "OPERATION_REUSED"))
	assert.True(t, errs.IsReason(j.Do(t.Context(), op("b", 0), silent, nil), "OPERATION_MISSING"))
	assert.True(t, errs.IsReason(j.Do(t.Context(), op("", 1), silent, nil), "OPERATION_MISSING"))
}

func TestTheFileStaysSmallAndHoldsTheNewestOutcomes(t *testing.T) {
	at, times := path(t), 0
	j := open(t, at)
	for i := range 200 {
		require.NoError(t, j.Do(t.Context(), op(strconv.Itoa(i), 1), silent, counted(&times, nil)))
	}
	info, err := os.Stat(at)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(16<<10))
	j.Close()
	j = open(t, at)
	for i := 150; i < 200; i++ {
		require.NoError(t, j.Do(t.Context(), op(strconv.Itoa(i), 1), silent, counted(&times, nil)))
	}
	assert.Equal(t, 200, times)
}
