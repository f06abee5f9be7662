package dialect

import (
	"io"
	"mime"
	"net/http"
	"strings"
)

// serveUnversioned answers what needs no token: the versions, the health and OPTIONS. It says whether it did.
func (d *Dialect) serveUnversioned(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return true
	}
	var serve http.HandlerFunc
	switch r.URL.Path {
	case "/":
		serve = d.serveVersions
	case "/v1.0", "/v1.0/":
		serve = d.serveVersion
	case "/healthcheck":
		serve = serveHealthcheck
	case "/healthz":
		serve = d.serveHealthz
	default:
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		d.answer(w, r, wrongMethod(http.MethodGet))
		return true
	}
	serve(w, r)
	return true
}

func (d *Dialect) versionObject(r *http.Request) []byte {
	b := []byte(`{"id":"v1.0","status":"CURRENT","updated":"2012-08-01T00:00:00Z","links":[{"rel":"self","href":`)
	return append(appendText(b, d.publicBase(r)+"/v1.0/"), "}]}"...)
}

// serveVersions lists the one version. Only here does Accept choose a version: below /v1.0 it is ignored.
func (d *Dialect) serveVersions(w http.ResponseWriter, r *http.Request) {
	if wanted := wantedVersion(r.Header.Get("Accept")); wanted != "" && wanted != "1.0" {
		d.answer(w, r, &fault{
			code: http.StatusNotAcceptable, message: "Version " + wanted + " is not served; version 1.0 is.",
		})
		return
	}
	d.write(w, r, jsonType, append(append([]byte(`{"versions":[`), d.versionObject(r)...), "]}"...))
}

func (d *Dialect) serveVersion(w http.ResponseWriter, r *http.Request) {
	d.write(w, r, jsonType, append(append([]byte(`{"version":`), d.versionObject(r)...), '}'))
}

// wantedVersion is the version that an Accept header of Trove's own media type asks for.
func wantedVersion(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err == nil && strings.HasPrefix(name, "application/vnd.openstack.trove") {
			return parameters["version"]
		}
	}
	return ""
}

// serveHealthcheck is Trove's plain form: the process answers.
func serveHealthcheck(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	// A client that is gone does not need its answer.
	_, _ = io.WriteString(w, "OK")
}

// serveHealthz says whether every part is ready, and if not, which one is not.
func (d *Dialect) serveHealthz(w http.ResponseWriter, r *http.Request) {
	if d.config.Healthy != nil {
		if err := d.config.Healthy(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	d.write(w, r, "text/plain; charset=utf-8", []byte("ok"))
}

func (d *Dialect) write(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	if _, err := w.Write(body); err != nil { //nolint:gosec // JSON or plain text, and its type says so.
		d.logger.DebugContext(r.Context(), "the client did not take its answer", "error", err)
	}
}
