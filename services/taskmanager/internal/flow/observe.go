package flow

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Observer measures and traces runs and steps: this file is the only one that knows how.
type Observer struct {
	tracer  trace.Tracer
	running *prometheus.GaugeVec
	steps   *prometheus.HistogramVec
	tasks   *prometheus.CounterVec
}

// NewObserver registers the metrics and takes the tracer from the provider; both may be nil.
func NewObserver(registerer prometheus.Registerer, traces trace.TracerProvider) *Observer {
	if traces == nil {
		traces = noop.NewTracerProvider()
	}
	o := &Observer{
		tracer: traces.Tracer("github.com/coffer-dbaas/coffer/services/taskmanager/flow"),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "coffer_taskmanager_runs_in_progress", Help: "Runs of tasks that this taskmanager holds.",
		}, []string{"action"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coffer_taskmanager_step_duration_seconds", Help: "Duration of one attempt of a step.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"action", "step", "outcome"}),
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_taskmanager_tasks_total", Help: "Tasks that ended here.",
		}, []string{"action", "outcome"}),
	}
	if registerer != nil {
		registerer.MustRegister(o.running, o.steps, o.tasks)
	}
	return o
}

// observeRun continues the trace of the request that was accepted.
func (o *Observer) observeRun(ctx context.Context, x *execution, run func(context.Context) error) error {
	name := string(x.workflow.action.Name)
	carrier := propagation.MapCarrier{"traceparent": x.claim.GetCommand().GetTraceparent()}
	ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("task_id", x.run.id.GetTaskId()), attribute.String("instance_id", x.run.Instance.GetId()),
		attribute.Int64("epoch", x.run.Epoch()),
	))
	defer span.End()
	o.running.WithLabelValues(name).Inc()
	defer o.running.WithLabelValues(name).Dec()
	began := time.Now()
	x.logger.Info("run begins", "resumed", x.resumed)
	err := run(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		x.logger.Warn("run ends without the task's end", "reason", err, "duration", time.Since(began))
	}
	return err
}

// observeStep measures one attempt.
func (o *Observer) observeStep(ctx context.Context, x *execution, j job, attempt func(context.Context) error) error {
	action, name := string(x.workflow.action.Name), j.name
	if j.undo {
		name += "/undo"
	}
	ctx, span := o.tracer.Start(ctx, action+"/"+name)
	defer span.End()
	began := time.Now()
	err := attempt(ctx)
	outcome := "succeeded"
	switch {
	case errors.Is(err, context.Canceled) || context.Cause(ctx) != nil && err != nil:
		outcome = "cut_off"
	case err != nil && transient(err):
		outcome = "failed_transient"
	case err != nil:
		outcome = "failed"
	}
	if err != nil {
		// The sentence, not the chain: traces leave the house.
		span.SetStatus(codes.Error, errs.From(err).Sentence)
	}
	o.steps.WithLabelValues(action, name, outcome).Observe(time.Since(began).Seconds())
	return err
}

// ended counts a task whose end is recorded.
func (o *Observer) ended(x *execution, outcome journalv1.TaskOutcome) {
	word := strings.ToLower(strings.TrimPrefix(outcome.String(), "TASK_OUTCOME_"))
	o.tasks.WithLabelValues(string(x.workflow.action.Name), word).Inc()
	logger := x.logger
	if x.failure != nil {
		logger = logger.With("code", x.failure.GetCode(), "step", x.failure.GetStep())
	}
	logger.Info("task ended", "outcome", word)
}
