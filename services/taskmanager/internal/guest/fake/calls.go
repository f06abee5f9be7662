package fake

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// defaultInterval is the longest silence of a status stream whose caller does not choose it.
const defaultInterval = 10 * time.Second

var (
	errNotEnrolled = errs.New(errs.WrongState, "NOT_ENROLLED", "The guest is not enrolled.")
	errEnrolled    = errs.New(errs.WrongState, "ENROLLED", "The guest is enrolled already.")
	errSuperseded  = errs.New(errs.Conflict, "RUN_SUPERSEDED", "A newer run has called this guest.")
)

func (a *Agent) did(method string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.acted[method]++
}

// Prepare pretends to make a database, which is healthy at once.
func (a *Agent) Prepare(
	request *guestagentv1.PrepareRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareResponse],
) error {
	return a.operate("Prepare", request.GetOperation(), func() error {
		a.prepared, a.memory = request, request.GetRam()
		return a.begin()
	}, func(p *guestagentv1.Progress) error { return stream.Send(&guestagentv1.PrepareResponse{Progress: p}) })
}

// RestartDatabase pretends to restart.
func (a *Agent) RestartDatabase(
	request *guestagentv1.RestartDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.RestartDatabaseResponse],
) error {
	return a.operate("RestartDatabase", request.GetOperation(), a.begin, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.RestartDatabaseResponse{Progress: p})
	})
}

// StopDatabase pretends to stop.
func (a *Agent) StopDatabase(
	request *guestagentv1.StopDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.StopDatabaseResponse],
) error {
	return a.operate("StopDatabase", request.GetOperation(), func() error {
		a.become(status.ServiceShutdown, "")
		return nil
	},
		func(p *guestagentv1.Progress) error {
			return stream.Send(&guestagentv1.StopDatabaseResponse{Progress: p})
		})
}

// StartDatabase pretends to start.
func (a *Agent) StartDatabase(
	request *guestagentv1.StartDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.StartDatabaseResponse],
) error {
	return a.operate("StartDatabase", request.GetOperation(), a.begin, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.StartDatabaseResponse{Progress: p})
	})
}

// ConfigureDatabase keeps the flavor's memory.
func (a *Agent) ConfigureDatabase(
	request *guestagentv1.ConfigureDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.ConfigureDatabaseResponse],
) error {
	return a.operate("ConfigureDatabase", request.GetOperation(), func() error {
		a.memory = request.GetRam()
		return nil
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.ConfigureDatabaseResponse{Progress: p})
	})
}

// GrowVolume pretends to.
func (a *Agent) GrowVolume(
	request *guestagentv1.GrowVolumeRequest, stream grpc.ServerStreamingServer[guestagentv1.GrowVolumeResponse],
) error {
	return a.operate("GrowVolume", request.GetOperation(), func() error { return nil },
		func(p *guestagentv1.Progress) error {
			return stream.Send(&guestagentv1.GrowVolumeResponse{Progress: p})
		})
}

// begin pretends to start the database; it runs under the lock.
func (a *Agent) begin() error {
	a.starts++
	a.become(status.ServiceHealthy, "")
	return nil
}

// operate does an operation once; act runs under the lock.
func (a *Agent) operate(method string, operation *guestagentv1.Operation, act func() error, send func(*guestagentv1.Progress) error) error {
	ordered, is := a.take(method)
	if is && !ordered.after {
		return ordered.err
	}
	if !a.enrolled() {
		return errNotEnrolled
	}
	if err := send(&guestagentv1.Progress{Message: "working"}); err != nil {
		return err
	}
	if err := a.once(method, operation, act); err != nil {
		return err
	}
	if is {
		return ordered.err
	}
	return send(&guestagentv1.Progress{Done: true})
}

func (a *Agent) once(method string, operation *guestagentv1.Operation, act func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if operation.GetEpoch() < a.epoch {
		return errSuperseded
	}
	a.epoch = operation.GetEpoch()
	if err, known := a.operations[operation.GetId()]; known {
		return err
	}
	err := act()
	if err == nil {
		a.acted[method]++
	}
	// As with the real agent, an accident is tried again and a refusal is not.
	if !errs.IsKind(err, errs.Unavailable) && !errs.IsKind(err, errs.Internal) {
		a.operations[operation.GetId()] = err
	}
	return err
}

// GetStatus is the state now.
func (a *Agent) GetStatus(context.Context, *guestagentv1.GetStatusRequest) (*guestagentv1.GetStatusResponse, error) {
	if ordered, is := a.take("GetStatus"); is {
		return nil, ordered.err
	}
	if !a.enrolled() {
		return nil, errNotEnrolled
	}
	now, _ := a.now()
	return &guestagentv1.GetStatusResponse{Status: now}, nil
}

// WatchStatus streams the state.
func (a *Agent) WatchStatus(
	request *guestagentv1.WatchStatusRequest, stream grpc.ServerStreamingServer[guestagentv1.WatchStatusResponse],
) error {
	if ordered, is := a.take("WatchStatus"); is {
		return ordered.err
	}
	if !a.enrolled() {
		return errNotEnrolled
	}
	interval := time.Duration(request.GetIntervalMilliseconds()) * time.Millisecond
	if interval <= 0 {
		interval = defaultInterval
	}
	sign := time.NewTicker(interval)
	defer sign.Stop()
	for {
		now, changed := a.now()
		if err := stream.Send(&guestagentv1.WatchStatusResponse{Status: now}); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-changed:
		case <-sign.C:
		}
	}
}
