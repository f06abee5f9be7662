package call

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Figures are the api's metrics.
type Figures struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	accepted *prometheus.CounterVec
}

// NewFigures registers the metrics.
func NewFigures(registry prometheus.Registerer) (*Figures, error) {
	f := &Figures{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_api_requests_total", Help: "Answered requests by method and gRPC code.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coffer_api_request_duration_seconds", Help: "Time from request to answer by method.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"method"}),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_api_tasks_accepted_total", Help: "Tasks accepted by action.",
		}, []string{"action"}),
	}
	for _, collector := range []prometheus.Collector{f.requests, f.duration, f.accepted} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// TaskAccepted counts a task.
func (f *Figures) TaskAccepted(name action.Name) { f.accepted.WithLabelValues(string(name)).Inc() }

func (f *Figures) count(ctx context.Context, method string, next func(context.Context) error) error {
	began := time.Now()
	err := next(ctx)
	code := codes.OK
	if err != nil {
		code = errs.From(err).Kind.Code()
	}
	method = strings.TrimPrefix(method, "/")
	f.requests.WithLabelValues(method, code.String()).Inc()
	f.duration.WithLabelValues(method).Observe(time.Since(began).Seconds())
	return err
}
