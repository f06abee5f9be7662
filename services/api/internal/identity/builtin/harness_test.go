package builtin

import (
	"bytes"
	"context"
	"encoding/json"
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
)

// The people and places of the tests.
const (
	demoID, adminID, readerID, disabledID = "d0d0", "adad", "4ead", "d15a"
	demoProject, adminProject             = "9d", "9a"
	password                              = "correct horse battery staple"
)

// memoryTokens is the store's role in memory; it counts and can fail.
type memoryTokens struct {
	mu     sync.Mutex
	byHash map[string]store.Token
	reads  int
	fail   error
	// beforeAnswer runs after a token was read and before it is handed out.
	beforeAnswer func()
}

func (m *memoryTokens) SaveToken(_ context.Context, t store.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byHash[string(t.Hash)] = t
	return m.fail
}

func (m *memoryTokens) Token(_ context.Context, hash []byte) (store.Token, error) {
	m.mu.Lock()
	m.reads++
	t, ok := m.byHash[string(hash)]
	fail, before := m.fail, m.beforeAnswer
	m.mu.Unlock()
	if before != nil {
		before()
	}
	if fail != nil {
		return store.Token{}, fail
	}
	if !ok {
		return store.Token{}, store.ErrNotFound
	}
	return t, nil
}

func (m *memoryTokens) RevokeToken(_ context.Context, hash []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byHash, string(hash))
	return m.fail
}

func (m *memoryTokens) PurgeExpired(context.Context, time.Time) error { return m.fail }

// house is a built-in identity behind an HTTP server, with a clock that the test turns.
type house struct {
	*Builtin
	t      *testing.T
	tokens *memoryTokens
	log    *bytes.Buffer
	server *httptest.Server

	mu    sync.Mutex
	clock time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		t: t, tokens: &memoryTokens{byHash: map[string]store.Token{}}, log: &bytes.Buffer{},
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
