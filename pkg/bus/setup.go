package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/coffer-dbaas/coffer/pkg/action"
)

const (
	// AckWait is how long a command may be without a sign of life before another taskmanager gets it; the same as the
	// lease in SQL, so that the message comes back no sooner than the claim can succeed.
	AckWait = 15 * time.Second
	// eventsKept is how far back a listener may resume.
	eventsKept = 24 * time.Hour
	// maxAckPending bounds the commands of a lane that are being worked, over all taskmanagers.
	maxAckPending = 10_000
)

// Setup makes the streams and the durable consumers that are missing and brings the settings of those that exist up
// to date. It may be called by anybody at any time, also after JetStream has lost everything. The number of replicas
// is the operator's: it is kept where a stream exists, and one (or what the option says) where it is made.
func Setup(ctx context.Context, js jetstream.JetStream, options ...Option) error {
	made := settings{replicas: 1}
	for _, option := range options {
		option(&made)
	}
	for _, config := range streams() {
		if err := setupStream(ctx, js, config, made.replicas); err != nil {
			return err
		}
	}
	for _, lane := range action.Lanes {
		if _, err := js.CreateOrUpdateConsumer(ctx, CommandStream, consumer(lane)); err != nil {
			return fmt.Errorf("set up consumer %s: %w", Consumer(lane), err)
		}
	}
	return nil
}

// Option changes what Setup makes.
type Option func(*settings)

type settings struct{ replicas int }

// WithReplicas is the number of servers that hold each stream that is made anew: 3 on a cluster. Less than one is one.
func WithReplicas(n int) Option { return func(s *settings) { s.replicas = max(n, 1) } }

func streams() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{
			Name:        CommandStream,
			Description: "Accepted commands that wait for a taskmanager.",
			Subjects:    []string{AllCommands},
			// A command is gone once it is worked.
			Retention: jetstream.WorkQueuePolicy,
			// With a server that syncs always, a published command is on disk. PersistMode async would undo that.
			Storage: jetstream.FileStorage,
		},
		{
			Name:        EventStream,
			Description: "What happened to tasks and instances, for those who watch.",
			Subjects:    []string{AllEvents},
			Retention:   jetstream.LimitsPolicy,
			Storage:     jetstream.FileStorage,
			MaxAge:      eventsKept,
		},
	}
}

func setupStream(ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, replicas int) error {
	config.Replicas = replicas
	existing, err := js.Stream(ctx, config.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return fmt.Errorf("look up stream %s: %w", config.Name, err)
	default:
		config.Replicas = existing.CachedInfo().Config.Replicas
	}
	if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
		return fmt.Errorf("set up stream %s: %w", config.Name, err)
	}
	return nil
}

func consumer(lane action.Lane) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: Consumer(lane),
		// A lane is worked by itself, so that slow commands never delay quick ones.
		FilterSubject: LaneSubjects(lane),
		// Only a recorded end takes the command off the queue.
		AckPolicy: jetstream.AckExplicitPolicy,
		AckWait:   AckWait,
		// An exhausted message would lie in a work queue for ever; claims are counted in SQL, where a poisoned task ends.
		MaxDeliver:    -1,
		MaxAckPending: maxAckPending,
		// Commands are rung in the order of their acceptance; their order on one instance comes from SQL.
		DeliverPolicy: jetstream.DeliverAllPolicy,
	}
}
