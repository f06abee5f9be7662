package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// recoverPanics turns a panic into an error that is logged with its stack and shown like any other.
func recoverPanics(ctx context.Context, _ string, next func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return next(ctx)
}

// showErrors logs each failure once and lets out only what may be shown. What is unexpected gets an id by which the
// log line can be found.
func showErrors(logger *slog.Logger) around {
	return func(ctx context.Context, method string, next func(context.Context) error) error {
		err := next(ctx)
		if err == nil {
			return nil
		}
		shown := errs.From(err)
		if shown.Kind != errs.Internal {
			logger.LogAttrs(ctx, levelOf(shown.Kind, err), "request refused", slog.String("method", method),
				slog.String("request_id", RequestID(ctx)), slog.String("reason", shown.Reason), cause(err))
			return shown
		}
		id := uuid.NewString()
		logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("method", method),
			slog.String("request_id", RequestID(ctx)), slog.String("failure_id", id), cause(err))
		return errs.New(errs.Internal, "INTERNAL",
			"Internal Server Error. Please keep this ID to help us figure out what went wrong: (%s).", id)
	}
}

func levelOf(kind errs.Kind, err error) slog.Level {
	if kind == errs.Unavailable && !errors.Is(err, context.Canceled) {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// cause is the error with what stands behind its sentence.
func cause(err error) slog.Attr {
	text := err.Error()
	var e *errs.Error
	if errors.As(err, &e) {
		if behind := e.Unwrap(); behind != nil {
			text += ": " + behind.Error()
		}
	}
	return slog.String("error", text)
}
