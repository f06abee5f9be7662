package builtin

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	// maxBody is Keystone's max_request_body_size.
	maxBody = 114688
	// callTimeout bounds one call, the wait for a turn to verify a password included.
	callTimeout = 30 * time.Second
)

// operation answers one method of one path.
type operation func(w http.ResponseWriter, r *http.Request) error

// methods are the operations of one path. GET stands for HEAD too: net/http leaves the body away.
type methods map[string]operation

// Handler serves the identity API below Config.Mount: mount it there, prefix included.
func (b *Builtin) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, m := range map[string]methods{
		"/{$}":                         {"GET": b.listVersions},
		"/v3":                          {"GET": b.showVersion},
		"/v3/auth/tokens":              {"POST": b.issueToken, "GET": b.showToken, "DELETE": b.revokeToken},
		"/v3/auth/catalog":             {"GET": b.showCatalog},
		"/v3/auth/projects":            {"GET": b.listOwnProjects},
		"/v3/auth/domains":             {"GET": b.listOwnDomains},
		"/v3/projects":                 {"GET": b.listProjects},
		"/v3/projects/{project_id}":    {"GET": b.showProject},
		"/v3/users/{user_id}":          {"GET": b.showUser},
		"/v3/users/{user_id}/projects": {"GET": b.listUserProjects},
		"/v3/domains":                  {"GET": b.listDomains},
		"/v3/domains/{domain_id}":      {"GET": b.showDomain},
		"/{anything...}":               nil,
	} {
		mux.Handle(pattern, b.serve(m))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The path is cleaned here, since the mux would redirect to one without the mount.
		below := r.Clone(r.Context())
		below.URL.Path = path.Clean("/" + strings.TrimPrefix(r.URL.Path, b.cfg.Mount))
		below.URL.RawPath = ""
		mux.ServeHTTP(w, below)
	})
}

// serve is what all calls share: request id, limits, and failures in Keystone's shape.
func (b *Builtin) serve(m methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)

		requestID := "req-" + uuid.NewString()
		w.Header().Set("X-Openstack-Request-Id", requestID)
		w.Header().Set("Vary", "X-Auth-Token")
		if err := m.dispatch(w, r); err != nil {
			b.fail(w, r, requestID, err)
		}
	})
}

func (m methods) dispatch(w http.ResponseWriter, r *http.Request) error {
	if m == nil {
		return errNoSuchPath
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, allowed := m[method]
	if !allowed {
		w.Header().Set("Allow", m.allowed())
		return errMethod
	}
	return op(w, r)
}

func (m methods) allowed() string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if m[method] == nil {
			continue
		}
		list = append(list, method)
		if method == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	return strings.Join(list, ", ")
}

// reply writes a JSON answer.
func reply(w http.ResponseWriter, code int, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A caller who hung up is not told that the answer did not arrive.
	_, _ = w.Write(encoded)
	return nil
}
