package observe

import (
	"fmt"
	"net/http"
)

// HealthHandler answers 200 "ok" while ready answers nil, else 503 with the sentence that names the part.
func HealthHandler(ready func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			writeLine(w, err.Error())
			return
		}
		writeLine(w, "ok")
	})
}

func writeLine(w http.ResponseWriter, line string) {
	// A client that has gone needs no answer.
	_, _ = fmt.Fprintln(w, line)
}
