package serve

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// identityMount is where the built-in Keystone stands.
const identityMount = "/identity"

// door is the REST address: Trove's dialect, with the metrics and the built-in Keystone beside it, nil where there is none.
// It looks at paths itself, because http.ServeMux would clean them and redirect, where Trove answers.
func door(gateway, identity, metrics http.Handler, openMetrics bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case identity != nil && (path == identityMount || strings.HasPrefix(path, identityMount+"/")):
			identity.ServeHTTP(w, r)
		case path == "/metrics" && (openMetrics || fromHere(r)):
			metrics.ServeHTTP(w, r)
		default:
			gateway.ServeHTTP(w, r)
		}
	})
}

// fromHere says whether a request came from this machine, and not through a proxy on it.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && isLoopback(host) && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// tlsConfig is nil when the listeners speak in the clear.
func (c DoorConfig) tlsConfig(logger *slog.Logger) (*tls.Config, error) {
	if c.CertificateFile == "" {
		return nil, nil
	}
	return pki.HostTLS(c.CertificateFile, c.KeyFile, logger)
}
