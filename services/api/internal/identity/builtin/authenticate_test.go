package builtin

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

func TestATokenNamesItsCaller(t *testing.T) {
	h := newHouse(t)
	caller, err := h.Authenticate(t.Context(), identity.Credentials{Token: h.login("demo", "demo")})
	require.NoError(t, err)
	assert.Equal(t, identity.Caller{
		UserID: demoID, UserName: "demo", ProjectID: demoProject, ProjectName: "demo",
		UserDomain: identity.Domain{ID: "default", Name: "Default"}, ProjectDomain: identity.Domain{ID: "default", Name: "Default"},
		Roles: []string{"member", "reader"}, Expires: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC),
	}, caller)

	caller, err = h.Authenticate(t.Context(), identity.Credentials{Token: h.login("admin", "admin")})
	require.NoError(t, err)
	assert.Equal(t, []string{"admin", "member", "reader"}, caller.Roles)

	caller, err = h.Authenticate(t.Context(), identity.Credentials{Token: h.login("demo", "")})
	require.NoError(t, err)
	assert.Empty(t, caller.ProjectID)
	assert.Empty(t, caller.Roles)
}

func TestNoGoodTokenNoCaller(t *testing.T) {
	h := newHouse(t)
	for _, token := range []string{"", "short", strings.Repeat("a", tokenLength), strings.Repeat("x", 1<<16)} {
		_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
		require.ErrorIs(t, err, identity.ErrUnauthenticated)
	}
	assert.Equal(t, 1, h.tokens.reads, "what cannot be a token is refused without a query")
}

func TestARevocationBeatsACheckThatIsUnderWay(t *testing.T) {
	h := newHouse(t)
	token := h.login("demo", "demo")
	h.tokens.beforeAnswer = func() {
		h.tokens.beforeAnswer = nil
		require.NoError(t, h.revoke(t.Context(), token))
	}
	_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
	require.NoError(t, err, "this call began before the revocation")
	_, err = h.Authenticate(t.Context(), identity.Credentials{Token: token})
	assert.ErrorIs(t, err, identity.ErrUnauthenticated)
}

func TestAStoreThatIsAwayIsNotABadToken(t *testing.T) {
	h := newHouse(t)
	token := h.login("demo", "demo")
	h.tokens.fail = errors.New("dial tcp: connection refused")
	_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
	require.Error(t, err)
	assert.True(t, errs.IsKind(err, errs.Unavailable))
	assert.NotContains(t, err.Error(), "dial")

	a := h.call("GET", "/identity/v3/auth/projects", "", "X-Auth-Token", token)
	assert.Equal(t, 500, a.code)
	assert.NotContains(t, a.text, "dial")
	assert.Contains(t, h.log.String(), "connection refused")
}

func TestTokensOutliveARestartUnlessTheUsersFileSaysOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*usersFile)
		good   bool
	}{
		"nothing changed":       {func(*usersFile) {}, true},
		"another user went":     {func(f *usersFile) { f.Users[2].Disabled = true }, true},
		"the user was disabled": {func(f *usersFile) { f.Users[1].Disabled = true }, false},
		"the user was removed": {func(f *usersFile) {
			f.Users = append(f.Users[:1:1], f.Users[2:]...)
			f.Assignments = append(f.Assignments[:2:2], f.Assignments[3:]...)
		}, false},
		"the user's password changed": {func(f *usersFile) {
			hash, err := HashPassword("another")
			require.NoError(t, err)
			f.Users[1].PasswordHash = hash
		}, false},
		"the user left the project": {func(f *usersFile) {
			f.Assignments = append(f.Assignments[:2:2], f.Assignments[3:]...)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			token := h.login("demo", "demo")
			file := testUsers(t)
			file.Users[1].PasswordHash = string(h.directory.users[demoID].passwordHash)
			c.change(&file)
			h.open(writeUsers(t, file))
			_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
			if c.good {
				require.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, identity.ErrUnauthenticated)
		})
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	_, err := Open(Config{URL: "ftp://x", Mount: "identity/"}, nil, time.Now, slog.New(slog.DiscardHandler))
	for _, fault := range []string{"users_file", "public_url", `url: is "ftp://x"`, "mount", "region", "token_ttl"} {
		require.ErrorContains(t, err, fault)
	}
	cfg := DefaultConfig()
	cfg.PublicURL, cfg.UsersFile = "http://127.0.0.1:8779", t.TempDir()+"/absent"
	_, err = Open(cfg, nil, time.Now, slog.New(slog.DiscardHandler))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
