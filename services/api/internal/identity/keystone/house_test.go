package keystone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	gopheropenstack "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity/builtin"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/identitytest"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

const (
	realKeystone = "http://127.0.0.1:5000/v3"
	password     = "lab"
)

// house is a Keystone, and an authenticator that asks it as the service user trove.
type house struct {
	*Keystone
	t *testing.T
	// url is where the Keystone is, and real says that it is one of OpenStack's.
	url   string
	real  bool
	file  string
	log   *lockedLog
	wire  *wire
	admin identitytest.Person
	// clock is the authenticator's; the built-in Keystone goes by it too.
	clock *clock
}

// everyKeystone runs a test against the built-in subset of a Keystone and, where there is one, against a real one.
func everyKeystone(t *testing.T, test func(*testing.T, *house)) {
	t.Run("built-in", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("real", func(t *testing.T) { test(t, newRealHouse(t)) })
}

// newRealHouse is one with the OpenStack of deploy/openstack behind it.
func newRealHouse(t *testing.T) *house {
	t.Helper()
	if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
		t.Skip("needs the OpenStack of deploy/openstack: make test-openstack")
	}
	return openHouse(t, realKeystone, &clock{now: time.Now()}, true)
}

// newHouse is one with the built-in subset of a Keystone behind it, over HTTP.
func newHouse(t *testing.T) *house {
	t.Helper()
	clock := &clock{now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	state := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "state.db")}
	require.NoError(t, gormstore.Migrate(t.Context(), state))
	store, err := gormstore.Open(t.Context(), state, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })

	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	cfg := builtin.DefaultConfig()
	cfg.PublicURL, cfg.UsersFile = server.URL, writeUsers(t)
	keystone, err := builtin.Open(cfg, store, clock.read, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	handler = keystone.Handler()
	return openHouse(t, server.URL+"/identity/v3", clock, false)
}

// writeUsers has the users of the test bed, as far as they are needed. The built-in Keystone lets admins alone check the
// tokens of others.
func writeUsers(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "users.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `
projects: [{id: 9a, name: admin}, {id: 9d, name: demo}, {id: 95, name: service}]
users:
- {id: u1, name: admin, password_hash: %[1]q}
- {id: u2, name: demo, password_hash: %[1]q}
- {id: u3, name: alice, password_hash: %[1]q}
- {id: u4, name: trove, password_hash: %[1]q}
assignments:
- {user: admin, project: admin, roles: [admin]}
- {user: demo, project: demo, roles: [member]}
- {user: alice, project: demo, roles: [reader]}
- {user: trove, project: service, roles: [admin, service]}
`, hash), 0o600))
	return path
}

func openHouse(t *testing.T, url string, clock *clock, isReal bool) *house {
	t.Helper()
	h := &house{
		t: t, url: url, real: isReal, file: filepath.Join(t.TempDir(), "clouds.yaml"), log: &lockedLog{}, wire: &wire{},
		admin: identitytest.Person{User: "admin", Project: "admin"}, clock: clock,
	}
	h.writeCloud("trove", password, "service")
	h.open(DefaultConfig())
	return h
}

// writeCloud says who the service user is.
func (h *house) writeCloud(user, password, project string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(h.file, fmt.Appendf(nil, `clouds:
  coffer:
    auth: {auth_url: %s, username: %s, password: %s, project_name: %s, user_domain_id: default, project_domain_id: default}
`, h.url, user, password, project), 0o600))
}

// open makes an authenticator that remembers nothing.
func (h *house) open(cfg Config) {
	h.t.Helper()
	cfg.CloudsFile = h.file
	opened, err := Open(cfg, h.clock.read, slog.New(slog.NewTextHandler(h.log, nil)), WithTransport(h.wire.around))
	require.NoError(h.t, err)
	h.Keystone = opened
}

func (h *house) contract() identitytest.House {
	return identitytest.House{
		Authenticator: h.Keystone,
		Admin:         h.admin,
		Member:        identitytest.Person{User: "demo", Project: "demo"},
		Reader:        identitytest.Person{User: "alice", Project: "demo"},
		Recheck:       h.cfg.TokenRecheck,
		Login:         func(_ *testing.T, who identitytest.Person) string { return h.login(who.User, who.Project) },
		Revoke:        func(_ *testing.T, token string) { h.revoke(token) },
		Now:           h.clock.read,
		Pass:          h.clock.pass,
		Asked:         func() int { return int(h.wire.questions.Load()) },
		Away: func(away bool) {
			if away {
				h.wire.answerWith(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
				return
			}
			h.wire.answerWith(nil)
		},
	}
}

// client logs a user in, by another wire than the authenticator's.
func (h *house) client(options gophercloud.AuthOptions) *gophercloud.ProviderClient {
	h.t.Helper()
	options.IdentityEndpoint = h.url
	if options.Username != "" {
		options.Password, options.DomainID = password, "default"
	}
	provider, err := gopheropenstack.AuthenticatedClient(h.t.Context(), options)
	require.NoError(h.t, err)
	return provider
}

// login gives a token of a user for a project, or for none.
func (h *house) login(user, project string) string {
	h.t.Helper()
	options := gophercloud.AuthOptions{Username: user}
	if project != "" {
		options.Scope = &gophercloud.AuthScope{ProjectName: project, DomainID: "default"}
	}
	return h.client(options).Token()
}

func (h *house) asAdmin() *gophercloud.ServiceClient {
	h.t.Helper()
	provider := h.client(gophercloud.AuthOptions{
		Username: h.admin.User, Scope: &gophercloud.AuthScope{ProjectName: h.admin.Project, DomainID: "default"},
	})
	api, err := gopheropenstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
	require.NoError(h.t, err)
	return api
}

func (h *house) revoke(token string) {
	h.t.Helper()
	require.NoError(h.t, tokens.Revoke(h.t.Context(), h.asAdmin(), token).Err)
}

// wire is the way from the authenticator to its Keystone. It counts, and may answer itself.
type wire struct {
	questions, logins atomic.Int32
	instead           atomic.Pointer[roundTripper]
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		switch r.Method {
		case http.MethodPost:
			w.logins.Add(1)
		case http.MethodGet:
			w.questions.Add(1)
		}
		if instead := w.instead.Load(); instead != nil {
			if answer, err := (*instead)(r); answer != nil || err != nil {
				return answer, err
			}
		}
		return next.RoundTrip(r)
	})
}

// answerWith has calls answered by the function, but for those to which it has no answer; nil for Keystone.
func (w *wire) answerWith(answer roundTripper) {
	if answer == nil {
		w.instead.Store(nil)
		return
	}
	w.instead.Store(&answer)
}

// says is an answer of Keystone, or of what stands before it.
func says(code int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		recorder.WriteHeader(code)
		recorder.Body = bytes.NewBufferString(body)
		answer := recorder.Result()
		answer.Request = r
		return answer, nil
	}
}

// hangs never answers.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
