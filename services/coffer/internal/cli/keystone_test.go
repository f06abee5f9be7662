package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// keystone is as much of one as a registration needs: lists of things, roles on projects, and logins. The tests pass a
// real one too.
type keystone struct {
	url string

	mu     sync.Mutex
	issued int
	things map[string][]thing
	// roles are those that users have on projects: <project>/<user>/<role>.
	roles []string
	// tokens are users' ids.
	tokens map[string]string
}

type thing = map[string]any

// singles are the words for one thing of a list.
var singles = map[string]string{
	"domains": "domain", "projects": "project", "users": "user", "roles": "role", "services": "service", "endpoints": "endpoint",
	"application_credentials": "application_credential",
}

// everyKeystone runs a test against this one and, where there is one, against a real one, with OS_* variables of an admin.
func everyKeystone(t *testing.T, test func(t *testing.T)) {
	t.Run("of the test", func(t *testing.T) {
		setAdmin(t, newKeystone(t).url)
		test(t)
	})
	t.Run("real", func(t *testing.T) {
		if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
			t.Skip("needs the OpenStack of deploy/openstack: make test-openstack")
		}
		setAdmin(t, "http://127.0.0.1:5000/v3")
		test(t)
	})
}

func setAdmin(t *testing.T, url string) {
	t.Helper()
	for name, value := range map[string]string{
		"OS_AUTH_URL": url, "OS_USERNAME": "admin", "OS_PASSWORD": "lab", "OS_PROJECT_NAME": "admin",
		"OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": "RegionOne",
		"OS_CLOUD": "", "OS_CLIENT_CONFIG_FILE": "", "OS_INTERFACE": "",
	} {
		t.Setenv(name, value)
	}
}

// newKeystone has what a bootstrap makes, and what other services have made.
func newKeystone(t *testing.T) *keystone {
	t.Helper()
	k := &keystone{things: map[string][]thing{}, tokens: map[string]string{}}
	k.add("domains", thing{"id": "default", "name": "Default"})
	for _, role := range []string{"admin", "member", "reader", "service"} {
		k.add("roles", thing{"name": role})
	}
	k.add("projects", thing{"name": "admin", "domain_id": "default"})
	k.add("projects", thing{"name": "service", "domain_id": "default"})
	for _, user := range []string{"admin", "demo"} {
		k.add("users", thing{"name": user, "domain_id": "default", "password": "lab"})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", k.logIn)
	mux.HandleFunc("GET /v3/projects/{project}/users/{user}/roles", k.listRoles)
	mux.HandleFunc("PUT /v3/projects/{project}/users/{user}/roles/{role}", k.assign)
	for _, path := range []string{"/v3/{list}", "/v3/users/{user}/{list}"} {
		mux.HandleFunc("GET "+path, k.list)
		mux.HandleFunc("POST "+path, k.create)
	}
	mux.HandleFunc("PATCH /v3/{list}/{id}", k.update)
	mux.HandleFunc("DELETE /v3/{list}/{id}", k.remove)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if _, known := k.tokens[r.Header.Get("X-Auth-Token")]; !known && r.URL.Path != "/v3/auth/tokens" {
			refuse(w, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	k.url = server.URL + "/v3"
	return k
}

func (k *keystone) add(list string, one thing) thing {
	if one["id"] == nil {
		k.issued++
		one["id"] = fmt.Sprintf("%s-%d", singles[list], k.issued)
	}
	if one["region"] != nil {
		one["region_id"] = one["region"]
	}
	k.things[list] = append(k.things[list], one)
	return one
}

func (k *keystone) logIn(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Auth struct {
			Identity struct {
				Password struct {
					User struct{ ID, Name, Password string }
				}
				ApplicationCredential struct{ ID, Secret string } `json:"application_credential"`
			}
			Scope *struct{ Project struct{ Name string } }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	given, credential := body.Auth.Identity.Password.User, body.Auth.Identity.ApplicationCredential
	user := k.find("users", func(u thing) bool {
		return (u["id"] == given.ID || u["name"] == given.Name) && u["password"] == given.Password
	})
	if by := k.find("application_credentials", func(c thing) bool {
		return c["id"] == credential.ID && c["secret"] == credential.Secret
	}); by != nil {
		user = k.find("users", func(u thing) bool { return u["id"] == by["user_id"] })
	}
	if user == nil {
		refuse(w, http.StatusUnauthorized)
		return
	}
	k.issued++
	token := fmt.Sprintf("token-%d", k.issued)
	k.tokens[token] = user["id"].(string)
	w.Header().Set("X-Subject-Token", token)
	reply(w, http.StatusCreated, thing{"token": thing{"user": thing{"id": user["id"]}, "catalog": k.catalog()}})
}

func (k *keystone) catalog() []thing {
	catalog := []thing{}
	for _, service := range k.things["services"] {
		faces := []thing{}
		for _, endpoint := range k.things["endpoints"] {
			if endpoint["service_id"] == service["id"] {
				shown := thing{"url": strings.ReplaceAll(endpoint["url"].(string), "%(project_id)s", "p")}
				for _, key := range []string{"interface", "region", "region_id"} {
					shown[key] = endpoint[key]
				}
				faces = append(faces, shown)
			}
		}
		catalog = append(catalog, thing{"type": service["type"], "name": service["name"], "endpoints": faces})
	}
	return catalog
}

func (k *keystone) find(list string, is func(thing) bool) thing {
	if i := slices.IndexFunc(k.things[list], is); i >= 0 {
		return k.things[list][i]
	}
	return nil
}

func (k *keystone) list(w http.ResponseWriter, r *http.Request) {
	list := r.PathValue("list")
	shown := []thing{}
	for _, one := range k.things[list] {
		fits := r.PathValue("user") == "" || one["user_id"] == r.PathValue("user")
		for key, wanted := range r.URL.Query() {
			fits = fits && one[key] == wanted[0]
		}
		if fits {
			shown = append(shown, one)
		}
	}
	reply(w, http.StatusOK, thing{list: shown, "links": thing{"next": nil}})
}

func (k *keystone) create(w http.ResponseWriter, r *http.Request) {
	list := r.PathValue("list")
	one := given(r, list)
	if user := r.PathValue("user"); user != "" {
		if k.tokens[r.Header.Get("X-Auth-Token")] != user {
			refuse(w, http.StatusForbidden)
			return
		}
		one["user_id"], one["secret"] = user, "s3cret"
	}
	reply(w, http.StatusCreated, thing{singles[list]: k.add(list, one)})
}

func (k *keystone) update(w http.ResponseWriter, r *http.Request) {
	list := r.PathValue("list")
	one := k.find(list, func(t thing) bool { return t["id"] == r.PathValue("id") })
	for key, value := range given(r, list) {
		one[key] = value
	}
	reply(w, http.StatusOK, thing{singles[list]: one})
}

func given(r *http.Request, list string) thing {
	var body map[string]thing
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return thing{}
	}
	return body[singles[list]]
}

func (k *keystone) remove(w http.ResponseWriter, r *http.Request) {
	list := r.PathValue("list")
	k.things[list] = slices.DeleteFunc(k.things[list], func(t thing) bool { return t["id"] == r.PathValue("id") })
	w.WriteHeader(http.StatusNoContent)
}

func (k *keystone) listRoles(w http.ResponseWriter, r *http.Request) {
	held := []thing{}
	for _, role := range k.things["roles"] {
		if slices.Contains(k.roles, r.PathValue("project")+"/"+r.PathValue("user")+"/"+role["id"].(string)) {
			held = append(held, role)
		}
	}
	reply(w, http.StatusOK, thing{"roles": held, "links": thing{"next": nil}})
}

func (k *keystone) assign(w http.ResponseWriter, r *http.Request) {
	k.roles = append(k.roles, r.PathValue("project")+"/"+r.PathValue("user")+"/"+r.PathValue("role"))
	w.WriteHeader(http.StatusNoContent)
}

func refuse(w http.ResponseWriter, code int) {
	reply(w, code, thing{"error": thing{"code": code, "message": http.StatusText(code)}})
}

func reply(w http.ResponseWriter, code int, body thing) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// mustRun wants a command to do what it is told.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, said, problems := run(t, args...)
	require.Zero(t, code, problems)
	return said
}
