package dialect

import (
	"context"
	"net/http"
	"net/url"
)

// exchange is what the dialect remembers of a request while it is answered. It is the request's context as well, so
// that everything the mux calls finds it there at no cost.
type exchange struct {
	context.Context
	// requestID is "req-<uuid>".
	requestID string
	// request is as the client sent it.
	request *http.Request
	// segments of the path, still escaped, without the suffix .json.
	segments []string
	// manner is that of the API whose path it is.
	manner manner
	// payload is nil for a request that has no body to be decoded.
	payload *payload
}

type exchangeKey struct{}

// Value finds the exchange itself, and what the context below it carries.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// project is the one in the path, if the path is one of a project.
func (x *exchange) project() (string, bool) {
	if len(x.segments) < 2 || x.segments[0] != version && !isDDM(x.segments) {
		return "", false
	}
	project, err := url.PathUnescape(x.segments[1])
	return project, err == nil
}

// management says whether the path is one of those that are for admins.
func (x *exchange) management() bool { return len(x.segments) > 2 && x.segments[2] == "mgmt" }

// last is the last segment of the path.
func (x *exchange) last() string { return x.segments[len(x.segments)-1] }

// publicBase is the URL under which clients reach the gateway, without a slash at its end: the configured one, else
// what the request shows.
func (d *Dialect) publicBase(r *http.Request) string {
	if d.config.PublicURL != "" {
		return d.config.PublicURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// identityURL is where a caller gets a token.
func (d *Dialect) identityURL(r *http.Request) string {
	if d.config.IdentityURL != "" {
		return d.config.IdentityURL
	}
	return d.publicBase(r) + "/identity"
}
