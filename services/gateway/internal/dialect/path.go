package dialect

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// version is the first segment of every path of a project.
	version = "v1.0"
	// suffix may follow any last segment. Only as it stands: a user whose name ends so is written %2ejson.
	suffix = ".json"
	// actionSegment ends a path whose body says what to do.
	actionSegment = "action"
)

// settlePath drops the suffix .json, and refuses what the mux would take for more than it is: an empty segment,
// which a parameter would match, and a verb, which only turnAction may add.
func (d *Dialect) settlePath(x *exchange, r *http.Request) (*http.Request, *fault) {
	path := r.URL.EscapedPath()
	if trimmed, ok := strings.CutSuffix(path, suffix); ok {
		path = trimmed
		r = withPath(r, strings.TrimSuffix(r.URL.Path, suffix), path)
	}
	x.segments = strings.Split(strings.TrimPrefix(path, "/"), "/")
	x.manner = mannerOf(r.Method, x.segments)
	for _, segment := range x.segments {
		if segment == "" {
			return nil, notFound()
		}
	}
	if strings.HasPrefix(x.last(), actionSegment+":") || r.Method == http.MethodHead {
		return nil, notFound()
	}
	if !utf8.ValidString(r.URL.Path) || strings.Contains(r.URL.Path, "\x00") {
		return nil, notFound()
	}
	return r, nil
}

// withPath is the request with another path. The first one stays as it is, for links and logs.
func withPath(r *http.Request, path, escaped string) *http.Request {
	target := *r.URL
	target.Path, target.RawPath = path, escaped
	if (&url.URL{Path: path}).EscapedPath() == escaped {
		target.RawPath = ""
	}
	turned := *r
	turned.URL = &target
	return &turned
}
