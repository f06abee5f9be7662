package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

const (
	// pullWait is how long one request for messages stands; an idle lane asks this often.
	pullWait = 30 * time.Second
	// firstRetry and lastRetry bound the pause after NATS failed.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Claims is what the consumer needs of journalv1.JournalServiceClient.
type Claims interface {
	ClaimTask(context.Context, *journalv1.ClaimTaskRequest, ...grpc.CallOption) (*journalv1.ClaimTaskResponse, error)
}

// Runner is flow.Engine.
type Runner interface {
	// Plan is what a claim of the command's task records of its steps.
	Plan(command *commandv1.Command) []*journalv1.StepRecord
	// Run brings a claimed task to its end. It answers nil when the end is recorded.
	Run(ctx context.Context, claim *journalv1.ClaimTaskResponse, claimed time.Time) error
}

// Config bounds the work of one taskmanager.
type Config struct {
	// Worker is the taskmanager's name, under which it claims.
	Worker string
	// Concurrency is how many commands of a lane are worked at once.
	Concurrency map[action.Lane]int
	// Replicas of streams that have to be made anew.
	Replicas int
}

// Consumer works both lanes.
type Consumer struct {
	js     jetstream.JetStream
	claims Claims
	runner Runner
	config Config
	logger *slog.Logger

	// mu guards held: the tasks that run here, because a worker could take over from itself.
	mu   sync.Mutex
	held map[string]bool
}

// New makes a consumer.
func New(js jetstream.JetStream, claims Claims, runner Runner, config Config, logger *slog.Logger) *Consumer {
	return &Consumer{js: js, claims: claims, runner: runner, config: config, logger: logger, held: map[string]bool{}}
}

// Run works until ctx ends, and returns when every run has come to a step border and given its message back.
func (c *Consumer) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	for _, lane := range action.Lanes {
		lanes.Go(func() { c.work(ctx, lane) })
	}
	lanes.Wait()
}

// work keeps one lane going, over everything that can happen to NATS.
func (c *Consumer) work(ctx context.Context, lane action.Lane) {
	var runs sync.WaitGroup
	defer runs.Wait()
	slots := make(chan struct{}, c.config.Concurrency[lane])
	retry := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := c.pull(ctx, lane, slots, &runs)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastRetry {
			retry = firstRetry
		}
		c.logger.Warn("lane interrupted, trying again", "lane", lane, "error", err, "in", retry)
		pause.For(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}

// pull works the lane's consumer until it fails.
func (c *Consumer) pull(ctx context.Context, lane action.Lane, slots chan struct{}, runs *sync.WaitGroup) error {
	consumer, err := c.open(ctx, lane)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		free, err := reserve(ctx, slots)
		if err != nil {
			return err
		}
		used, err := c.fetch(ctx, consumer, free, func(message jetstream.Msg) {
			runs.Go(func() {
				defer func() { <-slots }()
				c.handle(ctx, message)
			})
		})
		for range free - used {
			<-slots
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// reserve takes all slots that are free, waiting for the first.
func reserve(ctx context.Context, slots chan struct{}) (int, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	taken := 1
	for {
		select {
		case slots <- struct{}{}:
			taken++
		default:
			return taken, nil
		}
	}
}

// fetch asks for as many messages as there are slots, hands each on as it comes, and answers how many came. No message
// waits in a buffer here, where its time to be acknowledged would run.
func (c *Consumer) fetch(ctx context.Context, consumer jetstream.Consumer, free int, handle func(jetstream.Msg)) (int, error) {
	waiting, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	batch, err := consumer.Fetch(free, jetstream.FetchContext(waiting))
	if err != nil {
		return 0, fmt.Errorf("fetch commands: %w", err)
	}
	used := 0
	for message := range batch.Messages() {
		used++
		handle(message)
	}
	if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return used, fmt.Errorf("fetch commands: %w", err)
	}
	return used, nil
}

// open finds the lane's consumer, and makes streams and consumers anew when they are gone.
func (c *Consumer) open(ctx context.Context, lane action.Lane) (jetstream.Consumer, error) {
	consumer, err := c.js.Consumer(ctx, bus.CommandStream, bus.Consumer(lane))
	if err == nil {
		return consumer, nil
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, fmt.Errorf("look up consumer of lane %s: %w", lane, err)
	}
	if err := bus.Setup(ctx, c.js, bus.WithReplicas(c.config.Replicas)); err != nil {
		return nil, err
	}
	c.logger.Info("made streams and consumers", "lane", lane)
	return c.js.Consumer(ctx, bus.CommandStream, bus.Consumer(lane))
}
