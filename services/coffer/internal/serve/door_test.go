package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheDoorLeadsToTheRightPart(t *testing.T) {
	part := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Part", name) })
	}
	const here, elsewhere = "127.0.0.1:9", "192.0.2.1:9"
	for name, test := range map[string]struct {
		path, from string
		header     [2]string
		open       bool
		noUsers    bool
		want       string
	}{
		"Trove":                          {path: "/v1.0/p/instances", from: elsewhere, want: "gateway"},
		"a path that is not clean":       {path: "//v1.0/../x", from: here, want: "gateway"},
		"Keystone":                       {path: "/identity/v3/auth/tokens", from: elsewhere, want: "identity"},
		"Keystone's own root":            {path: "/identity", from: elsewhere, want: "identity"},
		"what only begins like Keystone": {path: "/identityx", from: elsewhere, want: "gateway"},
		"the place of a Keystone that is elsewhere": {path: "/identity/v3", from: here, noUsers: true, want: "gateway"},
		"metrics from here":                         {path: "/metrics", from: here, want: "metrics"},
		"metrics from elsewhere":                    {path: "/metrics", from: elsewhere, want: "gateway"},
		"metrics through a proxy here":              {path: "/metrics", from: here, header: [2]string{"X-Forwarded-For", "192.0.2.1"}, want: "gateway"},
		"metrics for all":                           {path: "/metrics", from: elsewhere, open: true, want: "metrics"},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.URL.Path, request.RemoteAddr = test.path, test.from
			if test.header[0] != "" {
				request.Header.Set(test.header[0], test.header[1])
			}
			identity := part("identity")
			if test.noUsers {
				identity = nil
			}
			answer := httptest.NewRecorder()
			door(part("gateway"), identity, part("metrics"), test.open).ServeHTTP(answer, request)
			assert.Equal(t, test.want, answer.Header().Get("Part"))
		})
	}
}
