package builtin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// The people and places of the tests.
const (
	demoID, adminID, readerID, disabledID = "d0d0", "adad", "4ead", "d15a"
	demoProject, adminProject             = "9d", "9a"
	password                              = "correct horse battery staple"
)

// watchedTokens is a real store that counts reads, remembers what was saved, and can fail.
type watchedTokens struct {
	store.Tokens

	mu    sync.Mutex
	saved []store.Token
	reads int
	fail  error
	// beforeAnswer runs after a token was read and before it is handed out.
	beforeAnswer func()
}

func (w *watchedTokens) SaveToken(ctx context.Context, t store.Token) error {
	w.mu.Lock()
	w.saved = append(w.saved, t)
	w.mu.Unlock()
	return w.Tokens.SaveToken(ctx, t)
}

func (w *watchedTokens) Token(ctx context.Context, hash []byte) (store.Token, error) {
	w.mu.Lock()
	w.reads++
	fail, before := w.fail, w.beforeAnswer
	w.mu.Unlock()
	t, err := w.Tokens.Token(ctx, hash)
	if before != nil {
		before()
	}
	return t, errors.Join(fail, err)
}

func (w *watchedTokens) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reads
}

func (w *watchedTokens) failWith(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func openStore(t *testing.T) store.Tokens {
	t.Helper()
	cfg := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "state.db")}
	require.NoError(t, gormstore.Migrate(t.Context(), cfg))
	s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// house is a built-in identity behind an HTTP server, with a clock that the test turns.
type house struct {
	*Builtin
	t      *testing.T
	tokens *watchedTokens
	log    *bytes.Buffer
	server *httptest.Server

	mu    sync.Mutex
	clock time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		t: t, tokens: &watchedTokens{Tokens: openStore(t)}, log: &bytes.Buffer{},
		clock: time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC),
	}
	// The handler is looked up per call, so that the server's address can be in the configuration.
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Handler().ServeHTTP(w, r) }))
	t.Cleanup(h.server.Close)
	h.open(writeUsers(t, testUsers(t)))
	return h
}

func (h *house) open(usersFile string) {
	cfg := DefaultConfig()
	cfg.UsersFile, cfg.PublicURL = usersFile, h.server.URL
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b, err := Open(cfg, h.tokens, h.now, logger)
	require.NoError(h.t, err)
	h.Builtin = b
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func testUsers(t *testing.T) usersFile {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return usersFile{
		Projects: []projectEntry{{ID: adminProject, Name: "admin"}, {ID: demoProject, Name: "demo"}},
		Users: []userEntry{
			{ID: adminID, Name: "admin", PasswordHash: string(hash)},
			{ID: demoID, Name: "demo", PasswordHash: string(hash)},
			{ID: readerID, Name: "reader", PasswordHash: string(hash)},
			{ID: disabledID, Name: "gone", PasswordHash: string(hash), Disabled: true},
		},
		Assignments: []assignmentEntry{
			{User: "admin", Project: "admin", Roles: []string{"admin"}},
			{User: "admin", Project: "demo", Roles: []string{"admin"}},
			{User: "demo", Project: "demo", Roles: []string{"member"}},
			{User: "reader", Project: "demo", Roles: []string{"reader"}},
			{User: "gone", Project: "demo", Roles: []string{"member"}},
		},
	}
}

func writeUsers(t *testing.T, file usersFile) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.yaml")
	require.NoError(t, file.write(path))
	return path
}

// answer is a call's answer.
type answer struct {
	code   int
	header http.Header
	text   string
}

// at digs a value out of the JSON body: at("token", "user", "id").
func (a answer) at(t *testing.T, keys ...string) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(a.text), &value), a.text)
	for _, key := range keys {
		object, ok := value.(map[string]any)
		require.True(t, ok, "%s of %s", key, a.text)
		value = object[key]
	}
	return value
}

func (h *house) call(method, path, body string, headers ...string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, strings.NewReader(body))
	require.NoError(h.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := h.server.Client().Do(r)
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(h.t, err)
	return answer{code: response.StatusCode, header: response.Header, text: string(text)}
}

// login is a password login for a project by name; an empty project means an unscoped token.
func (h *house) login(user, project string) string {
	h.t.Helper()
	scope := ""
	if project != "" {
		scope = `,"scope":{"project":{"name":"` + project + `","domain":{"id":"default"}}}`
	}
	a := h.call("POST", "/identity/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"`+
		user+`","domain":{"name":"Default"},"password":"`+password+`"}}}`+scope+`}}`)
	require.Equal(h.t, http.StatusCreated, a.code, a.text)
	return a.header.Get("X-Subject-Token")
}

func os0600(t *testing.T, path, content string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
