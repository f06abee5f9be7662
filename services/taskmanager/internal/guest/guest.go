package guest

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Guest is one enrolled agent.
type Guest struct {
	instanceID string
	address    string
	connection *grpc.ClientConn
	client     guestagentv1.GuestAgentServiceClient
}

var _ step.Guest = (*Guest)(nil)

// Prepare makes the data directory, starts the database and creates its databases and users.
func (g *Guest) Prepare(ctx context.Context, request *guestagentv1.PrepareRequest, say func(string)) error {
	stream, err := g.client.Prepare(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// RestartDatabase stops the database, if it runs, and starts it.
func (g *Guest) RestartDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.RestartDatabase(ctx, &guestagentv1.RestartDatabaseRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// StopDatabase stops the database and keeps it stopped.
func (g *Guest) StopDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.StopDatabase(ctx, &guestagentv1.StopDatabaseRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// StartDatabase starts the database and keeps it running.
func (g *Guest) StartDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.StartDatabase(ctx, &guestagentv1.StartDatabaseRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// ConfigureDatabase writes the configuration for another flavor's memory.
func (g *Guest) ConfigureDatabase(ctx context.Context, request *guestagentv1.ConfigureDatabaseRequest, say func(string)) error {
	stream, err := g.client.ConfigureDatabase(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// GrowVolume makes the file system fill its grown volume.
func (g *Guest) GrowVolume(ctx context.Context, request *guestagentv1.GrowVolumeRequest, say func(string)) error {
	stream, err := g.client.GrowVolume(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// Status is the database's state now.
func (g *Guest) Status(ctx context.Context) (*guestagentv1.DatabaseStatus, error) {
	response, err := g.client.GetStatus(ctx, &guestagentv1.GetStatusRequest{})
	if err != nil {
		return nil, err
	}
	return response.GetStatus(), nil
}

// AwaitStatus watches until the state is the wanted one.
func (g *Guest) AwaitStatus(
	ctx context.Context, wanted func(*guestagentv1.DatabaseStatus) bool,
) (*guestagentv1.DatabaseStatus, error) {
	var last *guestagentv1.DatabaseStatus
	err := g.Watch(ctx, 0, func(s *guestagentv1.DatabaseStatus) error {
		last = s
		if wanted(s) {
			return errSeen
		}
		return nil
	})
	switch {
	case errors.Is(err, errSeen):
		return last, nil
	case last != nil && (ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded):
		// The agent may notice the deadline a moment before we do.
		return nil, errs.New(errs.Unavailable, "NOT_REACHED", "The database was last seen %s%s.", last.GetServiceStatus(), because(last.GetMessage()))
	}
	return nil, err
}

var errSeen = errors.New("the wanted status was seen")

func because(message string) string {
	if message == "" {
		return ""
	}
	return " (" + message + ")"
}

// Watch hands each status to the callback until the stream breaks or the callback answers with an error, which is
// what Watch then answers. interval is the longest silence that the agent may keep; 0 leaves it to the agent.
func (g *Guest) Watch(ctx context.Context, interval time.Duration, each func(*guestagentv1.DatabaseStatus) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.client.WatchStatus(ctx, &guestagentv1.WatchStatusRequest{IntervalMilliseconds: interval.Milliseconds()})
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return errBroken
		}
		if err != nil {
			return err
		}
		if err := each(response.GetStatus()); err != nil {
			return err
		}
	}
}

func (g *Guest) close() { _ = g.connection.Close() }

var errBroken = errs.New(errs.Unavailable, "STREAM_BROKEN", "The guest agent ended the stream too early.")

// follow reads an operation's progress to its end.
func follow[Response any, Pointer interface {
	*Response
	GetProgress() *guestagentv1.Progress
}](stream grpc.ServerStreamingClient[Response], say func(string)) error {
	_, err := outcome[Response, Pointer](stream, say)
	return err
}

// outcome is follow with the last message.
func outcome[Response any, Pointer interface {
	*Response
	GetProgress() *guestagentv1.Progress
}](stream grpc.ServerStreamingClient[Response], say func(string)) (Pointer, error) {
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errBroken
		}
		if err != nil {
			return nil, err
		}
		progress := Pointer(response).GetProgress()
		if progress.GetDone() {
			return response, nil
		}
		say(progress.GetMessage())
	}
}
