package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Measure counts and times requests by method and code. Paths are no labels: they hold ids.
func Measure(registry prometheus.Registerer, next http.Handler) http.Handler {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "coffer_gateway_request_duration_seconds",
		Help:    "Time from a request's headers to the end of its answer.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
	}, []string{"method", "code"})
	registry.MustRegister(durations)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		recorder := &codeRecorder{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(recorder, r)
		durations.WithLabelValues(methodLabel(r.Method), strconv.Itoa(recorder.code)).Observe(time.Since(began).Seconds())
	})
}

// methodLabel keeps a client from making labels of its own.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// codeRecorder remembers the code of an answer.
type codeRecorder struct {
	http.ResponseWriter
	code int
}

func (r *codeRecorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *codeRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
