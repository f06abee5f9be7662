package server

import (
	"io"
	"net/http"
	"time"
)

// timeBodies bounds the time in which a body may arrive. http.Server's own ReadTimeout will not do: it goes on
// running after the body is read, and ends the context of a request that waits for its task.
func timeBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		connection := http.NewResponseController(w)
		if err := connection.SetReadDeadline(time.Now().Add(BodyTimeout)); err == nil {
			r.Body = &timedBody{ReadCloser: r.Body, connection: connection}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody takes the limit off its connection as soon as the body is whole.
type timedBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		if clearErr := b.connection.SetReadDeadline(time.Time{}); clearErr != nil {
			return n, clearErr
		}
	}
	return n, err //nolint:wrapcheck // A reader's io.EOF has to stay what it is.
}
