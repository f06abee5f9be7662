package builtin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

func TestVersionsAreFound(t *testing.T) {
	h := newHouse(t)
	for path, code := range map[string]int{"/identity": 300, "/identity/": 300, "/identity/v3": 200, "/identity/v3/": 200} {
		a := h.call("GET", path, "")
		assert.Equal(t, code, a.code, path)
		assert.Contains(t, a.text, h.server.URL+"/identity/v3/")
	}
	assert.Equal(t, "v3.14", h.call("GET", "/identity/v3", "").at(t, "version", "id"))
}

func TestATokenIsShownAndEnded(t *testing.T) {
	h := newHouse(t)
	token, other, admin := h.login("demo", "demo"), h.login("reader", "demo"), h.login("admin", "admin")
	subject := func(method, caller, about string) answer {
		return h.call(method, "/identity/v3/auth/tokens", "", "X-Auth-Token", caller, "X-Subject-Token", about)
	}

	a := subject("GET", token, token)
	require.Equal(t, http.StatusOK, a.code, a.text)
	assert.Equal(t, token, a.header.Get("X-Subject-Token"))
	assert.Equal(t, demoID, a.at(t, "token", "user", "id"))
	a = subject("HEAD", token, token)
	assert.Equal(t, http.StatusOK, a.code)
	assert.Empty(t, a.text)

	assert.Equal(t, http.StatusOK, subject("GET", admin, token).code)
	assert.Equal(t, http.StatusForbidden, subject("GET", other, token).code)
	assert.Equal(t, http.StatusForbidden, subject("DELETE", other, token).code)
	assert.Equal(t, http.StatusNotFound, subject("GET", token, "unknown").code)
	assert.Equal(t, http.StatusNotFound, subject("GET", token, "").code)
	assert.Equal(t, http.StatusUnauthorized, subject("GET", "", token).code)

	_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, subject("DELETE", token, token).code)
	_, err = h.Authenticate(t.Context(), identity.Credentials{Token: token})
	require.Error(t, err)
	assert.Equal(t, http.StatusUnauthorized, subject("GET", token, token).code)
	assert.Equal(t, http.StatusNotFound, subject("GET", admin, token).code)
}

func TestCatalogProjectsDomainsAndUsers(t *testing.T) {
	h := newHouse(t)
	tokens := map[string]string{"demo": h.login("demo", "demo"), "unscoped": h.login("demo", ""), "admin": h.login("admin", "admin")}
	for _, c := range []struct {
		caller, path string
		code         int
		contains     string
	}{
		{"demo", "/v3/auth/catalog", 200, `/v1.0/9d"`},
		{"unscoped", "/v3/auth/catalog", 403, "project-scoped token is required"},
		{"unscoped", "/v3/auth/projects", 200, `"name":"demo"`},
		{"admin", "/v3/auth/projects", 200, `"name":"admin"`},
		{"demo", "/v3/auth/domains", 200, `"domains":[]`},
		{"demo", "/v3/projects", 403, "identity:list_projects"},
		{"admin", "/v3/projects", 200, `"name":"demo"`},
		{"admin", "/v3/projects?name=nowhere", 200, `"projects":[]`},
		{"admin", "/v3/projects?domain_id=other", 200, `"projects":[]`},
		{"demo", "/v3/projects/9d", 200, `"domain_id":"default"`},
		{"demo", "/v3/projects/9a", 403, "identity:get_project"},
		{"demo", "/v3/projects/none", 403, "identity:get_project"},
		{"admin", "/v3/projects/none", 404, "Could not find project: none."},
		{"demo", "/v3/users/d0d0", 200, `"name":"demo"`},
		{"demo", "/v3/users/adad", 403, "identity:get_user"},
		{"admin", "/v3/users/none", 404, "Could not find user: none."},
		{"demo", "/v3/users/d0d0/projects", 200, `"id":"9d"`},
		{"demo", "/v3/domains", 403, "identity:list_domains"},
		{"admin", "/v3/domains?name=default", 200, `"id":"default"`},
		{"admin", "/v3/domains?name=other", 200, `"domains":[]`},
		{"demo", "/v3/domains/default", 200, `"name":"Default"`},
		{"demo", "/v3/domains/other", 404, "Could not find domain: other."},
		{"demo", "/v3/nothing", 404, "The resource could not be found."},
		{"demo", "/v2.0/tokens", 404, "The resource could not be found."},
		{"demo", "//v3//projects/9d/", 200, `"id":"9d"`},
	} {
		a := h.call("GET", "/identity"+c.path, "", "X-Auth-Token", tokens[c.caller])
		assert.Equal(t, c.code, a.code, "%s %s: %s", c.caller, c.path, a.text)
		assert.Contains(t, a.text, c.contains, "%s %s", c.caller, c.path)
		if strings.HasPrefix(c.path, "/v3/") && c.code != http.StatusNotFound {
			assert.Equal(t, http.StatusUnauthorized, h.call("GET", "/identity"+c.path, "").code, "%s without a token", c.path)
		}
	}
}

func TestAMethodThatAPathHasNotIsRefused(t *testing.T) {
	h := newHouse(t)
	a := h.call("PATCH", "/identity/v3/auth/tokens", "{}")
	assert.Equal(t, http.StatusMethodNotAllowed, a.code)
	assert.Equal(t, "GET, HEAD, POST, DELETE", a.header.Get("Allow"))
	assert.Equal(t, "Method Not Allowed", a.at(t, "error", "title"))
}
