package consumer_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/natstest"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/consumer"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

const patience = 20 * time.Second

// bench is a consumer on a real JetStream, with an api and an engine that a test directs.
type bench struct {
	t       *testing.T
	js      jetstream.JetStream
	claimed chan string
	ran     chan string

	mu       sync.Mutex
	outcomes map[string]journalv1.ClaimOutcome
	claimErr error
	// run is what a run does.
	run func(ctx context.Context, taskID string) error
}

func setup(t *testing.T) *bench {
	t.Helper()
	_, js := natstest.JetStream(t)
	return &bench{
		t: t, js: js, claimed: make(chan string, 1000), ran: make(chan string, 1000),
		outcomes: map[string]journalv1.ClaimOutcome{}, run: func(context.Context, string) error { return nil },
	}
}

// start runs a consumer until the returned function is called, which waits for it.
func (b *bench) start(t *testing.T, quick, slow int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	c := consumer.New(b.js, b, b, consumer.Config{
		Worker: "tm", Concurrency: map[action.Lane]int{action.Quick: quick, action.Slow: slow},
	}, slog.New(slog.DiscardHandler))
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

func (b *bench) ClaimTask(
	_ context.Context, r *journalv1.ClaimTaskRequest, _ ...grpc.CallOption,
) (*journalv1.ClaimTaskResponse, error) {
	assert.Equal(b.t, planned, r.GetPlan())
	b.claimed <- r.GetTaskId()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.claimErr; err != nil {
		b.claimErr = nil
		return nil, err
	}
	outcome, chosen := b.outcomes[r.GetTaskId()]
	if !chosen {
		outcome = journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED
	}
	return &journalv1.ClaimTaskResponse{Outcome: outcome, Run: &journalv1.Run{TaskId: r.GetTaskId(), Epoch: 1}}, nil
}

// planned is every task's plan.
var planned = []*journalv1.StepRecord{{Name: "restart_database"}}

func (b *bench) Plan(*commandv1.Command) []*journalv1.StepRecord { return planned }

func (b *bench) Run(ctx context.Context, claim *journalv1.ClaimTaskResponse, _ time.Time) error {
	err := b.run(ctx, claim.GetRun().GetTaskId())
	b.ran <- claim.GetRun().GetTaskId()
	return err
}

func (b *bench) outcome(taskID string, outcome journalv1.ClaimOutcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[taskID] = outcome
}

func (b *bench) ring(t *testing.T, name action.Name, taskID string) {
	t.Helper()
	row, known := action.Lookup(name)
	require.True(t, known)
	data, err := proto.Marshal(&commandv1.Command{TaskId: taskID})
	require.NoError(t, err)
	_, err = b.js.Publish(t.Context(), bus.CommandSubject(row), data)
	require.NoError(t, err)
}

// awaitEmpty waits until the queue holds nothing.
func (b *bench) awaitEmpty(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		stream, err := b.js.Stream(t.Context(), bus.CommandStream)
		return err == nil && stream.CachedInfo().State.Msgs == 0
	}, patience, 10*time.Millisecond)
}

func next(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case id := <-from:
		return id
	case <-time.After(patience):
		t.Fatal("nothing came")
		return ""
	}
}

func TestACommandIsRunAndTakenOffTheQueue(t *testing.T) {
	b := setup(t)
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "quick")
	b.ring(t, action.CreateInstance, "slow")

	assert.ElementsMatch(t, []string{"quick", "slow"}, []string{next(t, b.ran), next(t, b.ran)})
	b.awaitEmpty(t)
}

func TestSlowCommandsDoNotDelayQuickOnes(t *testing.T) {
	b := setup(t)
	release := make(chan struct{})
	b.run = func(_ context.Context, taskID string) error {
		if taskID != "quick" {
			<-release
		}
		return nil
	}
	b.start(t, 1, 2)
	for _, id := range []string{"slow1", "slow2", "slow3"} {
		b.ring(t, action.CreateInstance, id)
	}
	b.ring(t, action.RestartInstance, "quick")

	assert.Equal(t, "quick", next(t, b.ran))
	close(release)
	b.awaitEmpty(t)
}

func TestNoMoreThanTheLimitRunAtOnce(t *testing.T) {
	b := setup(t)
	const limit, tasks = 3, 20
	var mu sync.Mutex
	running, most := 0, 0
	begun, end := make(chan string, tasks), make(chan struct{})
	b.run = func(_ context.Context, taskID string) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		begun <- taskID
		<-end
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}
	for n := range tasks {
		b.ring(t, action.RestartInstance, fmt.Sprint("task ", n))
	}
	b.start(t, limit, 1)

	for range limit {
		next(t, begun)
	}
	for range tasks - limit {
		end <- struct{}{}
		next(t, begun) // one comes for each that goes
	}
	close(end)
	b.awaitEmpty(t)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, limit, most)
}

func TestATaskThatIsGoneIsTakenOffTheQueueWithoutARun(t *testing.T) {
	b := setup(t)
	b.outcome("gone", journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE)
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "gone")

	next(t, b.claimed)
	b.awaitEmpty(t)
	assert.Empty(t, b.ran)
}

func TestATaskWhoseInstanceIsBusyComesAgain(t *testing.T) {
	b := setup(t)
	b.outcome("busy", journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY)
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "busy")
	next(t, b.claimed)
	b.outcome("busy", journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED)

	assert.Equal(t, "busy", next(t, b.ran))
	b.awaitEmpty(t)
}

func TestATaskIsClaimedAgainWhenTheApiWasAway(t *testing.T) {
	b := setup(t)
	b.claimErr = errs.New(errs.Unavailable, "AWAY", "The api is away.")
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "task")

	assert.Equal(t, "task", next(t, b.ran))
	assert.Len(t, b.claimed, 2)
}

func TestARunThatEndsEarlyGivesItsMessageBack(t *testing.T) {
	b := setup(t)
	var once sync.Once
	b.run = func(context.Context, string) (err error) {
		once.Do(func() { err = flow.ErrLeaseLost })
		return err
	}
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "task")

	assert.Equal(t, "task", next(t, b.ran))
	assert.Equal(t, "task", next(t, b.ran))
	b.awaitEmpty(t)
}

func TestASecondRingForATaskThatRunsHereIsDropped(t *testing.T) {
	b := setup(t)
	release := make(chan struct{})
	b.run = func(context.Context, string) error {
		<-release
		return nil
	}
	b.start(t, 4, 1)
	b.ring(t, action.RestartInstance, "task")
	next(t, b.claimed)
	b.ring(t, action.RestartInstance, "task")

	require.Eventually(t, func() bool {
		stream, err := b.js.Stream(t.Context(), bus.CommandStream)
		return err == nil && stream.CachedInfo().State.Msgs == 1
	}, patience, 10*time.Millisecond)
	close(release)
	b.awaitEmpty(t)
	assert.Empty(t, b.claimed, "one claim")
}

func TestWhatIsNoCommandIsThrownAway(t *testing.T) {
	b := setup(t)
	b.start(t, 1, 1)
	_, err := b.js.Publish(t.Context(), "coffer.command.quick.restart_instance", []byte{0xff, 0xff, 0xff})
	require.NoError(t, err)

	b.awaitEmpty(t)
	assert.Empty(t, b.claimed)
}

func TestAShutdownWaitsForRunsAndLeavesTheirMessages(t *testing.T) {
	b := setup(t)
	b.run = func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return flow.ErrInterrupted
	}
	stop := b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "task")
	next(t, b.claimed)

	stop()

	assert.Len(t, b.ran, 1, "the run was waited for")
	next(t, b.ran)
	b.run = func(context.Context, string) error { return nil }
	b.start(t, 1, 1)
	assert.Equal(t, "task", next(t, b.ran), "the message was given back at once")
}

func TestLosingAllOfJetStreamIsSurvived(t *testing.T) {
	b := setup(t)
	b.start(t, 1, 1)
	b.ring(t, action.RestartInstance, "before")
	next(t, b.ran)
	require.NoError(t, b.js.DeleteStream(t.Context(), bus.CommandStream))

	require.Eventually(t, func() bool {
		_, err := b.js.Consumer(t.Context(), bus.CommandStream, bus.Consumer(action.Quick))
		return err == nil
	}, patience, 20*time.Millisecond)
	b.ring(t, action.RestartInstance, "after")

	assert.Equal(t, "after", next(t, b.ran))
}
