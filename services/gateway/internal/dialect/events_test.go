package dialect

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

func TestASilentStreamGivesSignsOfLifeUntilTheServerStops(t *testing.T) {
	stopping := make(chan struct{})
	ctx, cancel := context.WithCancel(server.WithStopping(t.Context(), stopping))
	defer cancel()
	w := &countingWriter{ResponseWriter: httptest.NewRecorder(), written: make(chan string)}
	ended := make(chan error, 1)
	go func() {
		sink := &eventSink{w: w, connection: http.NewResponseController(w)}
		ended <- forward(ctx, make(chan received), sink, time.Millisecond)
	}()
	for range 3 {
		assert.Equal(t, ":\n\n", <-w.written)
	}
	close(stopping)
	for {
		select {
		case <-w.written:
			continue
		case err := <-ended:
			require.NoError(t, err)
		}
		return
	}
}

type countingWriter struct {
	http.ResponseWriter
	written chan string
}

func (w *countingWriter) Write(text []byte) (int, error) {
	w.written <- string(text)
	return len(text), nil
}

func (w *countingWriter) Flush() {}
