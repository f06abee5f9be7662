package keystone

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/identitytest"
)

func TestItIsAnAuthenticator(t *testing.T) {
	t.Run("built-in", func(t *testing.T) {
		identitytest.Run(t, func(t *testing.T) identitytest.House { return newHouse(t).contract() })
	})
	t.Run("real", func(t *testing.T) {
		identitytest.Run(t, func(t *testing.T) identitytest.House { return newRealHouse(t).contract() })
	})
}

func (h *house) authenticate(token string) (identity.Caller, error) {
	return h.Authenticate(h.t.Context(), identity.Credentials{Token: token})
}

// unavailable wants an error that is no word about the token.
func (h *house) unavailable(err error) {
	h.t.Helper()
	require.Error(h.t, err)
	assert.True(h.t, errs.IsKind(err, errs.Unavailable), "%v", err)
	require.NotErrorIs(h.t, err, identity.ErrUnauthenticated)
}

func TestRememberedTokensCostKeystoneNothing(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		token := h.login("demo", "demo")
		for range 1000 {
			_, err := h.authenticate(token)
			require.NoError(t, err)
		}
		assert.EqualValues(t, 1, h.wire.logins.Load())
		assert.EqualValues(t, 2, h.wire.questions.Load(), "one that is refused for want of a login, and one that is answered")
	})
}

func TestOneLoginRenewsAServiceTokenThatWasRevoked(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		_, err := h.authenticate(h.login("demo", "demo"))
		require.NoError(t, err)
		h.revoke(h.api.Token())
		var callers []string
		for range 5 {
			callers = append(callers, h.login("demo", "demo"), h.login("alice", "demo"))
		}
		h.together(callers)
		assert.EqualValues(t, 2, h.wire.logins.Load())
	})
}

// together has all tokens checked at once, each of which is good.
func (h *house) together(tokens []string) {
	h.t.Helper()
	ended := make(chan error)
	for _, token := range tokens {
		go func() {
			_, err := h.authenticate(token)
			ended <- err
		}()
	}
	for range tokens {
		require.NoError(h.t, <-ended)
	}
}

func TestTheServicesOwnRefusalIsNobodysFault(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		token := h.login("demo", "demo")
		h.writeCloud("trove", "wrong", "service")
		h.open(DefaultConfig())
		for range 3 {
			_, err := h.authenticate(token)
			h.unavailable(err)
		}
		assert.EqualValues(t, 1, h.wire.logins.Load(), "a refused password is not tried again at once")
		require.ErrorContains(t, h.Ready(t.Context()), `Keystone refuses the service user of clouds.yaml: cloud "coffer" at `+h.url)
		assert.Equal(t, 1, strings.Count(h.log.String(), "level=ERROR"), h.log)
		assert.Contains(t, h.log.String(), "Keystone refuses the service user of clouds.yaml")
		assert.NotContains(t, h.log.String(), "wrong")

		// A new password in the file is enough, at once.
		h.writeCloud("trove", password, "service")
		_, err := h.authenticate(token)
		require.NoError(t, err)
		require.NoError(t, h.Ready(t.Context()))
		assert.Contains(t, h.log.String(), "Keystone checks tokens")
	})
}

func TestAServiceUserWithoutTheRoleIsNamed(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		token := h.login("demo", "demo")
		h.writeCloud("alice", password, "demo")
		h.open(DefaultConfig())
		_, err := h.authenticate(token)
		h.unavailable(err)
		require.ErrorContains(t, h.Ready(t.Context()), "it needs the role service")
		h.clock.pass(healthRecheck)
		require.ErrorContains(t, h.Ready(t.Context()), "it needs the role service", "asking for no token would not show it")
	})
}

func TestAServiceUserThatWasDeletedIsNobodysFault(t *testing.T) {
	// What the real one says then, seen there: 404 in place of 401.
	for _, gone := range []string{"Could not find user: u4.", "Could not find project: 95."} {
		t.Run(gone, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.authenticate(h.login("alice", "demo"))
			require.NoError(t, err)
			token := h.login("demo", "demo")
			h.wire.answerWith(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					return says(http.StatusUnauthorized, `{"error": {"code": 401}}`)(r)
				}
				return says(http.StatusNotFound, `{"error": {"code": 404, "message": "`+gone+`"}}`)(r)
			})
			for range 3 {
				_, err = h.authenticate(token)
				h.unavailable(err)
			}
			assert.EqualValues(t, 2, h.wire.logins.Load())
			require.ErrorContains(t, h.Ready(t.Context()), "Keystone refuses the service user")

			// Where it can log in again it asks again.
			h.open(DefaultConfig())
			first := true
			h.wire.answerWith(nil)
			_, err = h.authenticate(h.login("alice", "demo"))
			require.NoError(t, err)
			h.wire.answerWith(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet && first {
					first = false
					return says(http.StatusNotFound, `{"error": {"code": 404, "message": "`+gone+`"}}`)(r)
				}
				return nil, nil
			})
			_, err = h.authenticate(token)
			require.NoError(t, err)
		})
	}
}

func TestReadyAsksOnlyWhenNobodyHasLately(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		require.NoError(t, h.Ready(t.Context()))
		asked := h.wire.questions.Load()
		require.NoError(t, h.Ready(t.Context()))
		assert.Equal(t, asked, h.wire.questions.Load())
		h.clock.pass(healthRecheck)
		require.NoError(t, h.Ready(t.Context()))
		assert.Equal(t, asked+1, h.wire.questions.Load())
		assert.EqualValues(t, 1, h.wire.logins.Load())
	})
}

func TestWhatIsNoWordOfKeystoneIsAnOutage(t *testing.T) {
	h := newHouse(t)
	token := h.login("demo", "demo")
	_, err := h.authenticate(h.login("alice", "demo"))
	require.NoError(t, err)
	for name, answer := range map[string]roundTripper{
		"500":                             says(http.StatusInternalServerError, `{"error": {"code": 500}}`),
		"503":                             says(http.StatusServiceUnavailable, ""),
		"504 of a proxy":                  says(http.StatusGatewayTimeout, "<html>"),
		"429":                             says(http.StatusTooManyRequests, ""),
		"400":                             says(http.StatusBadRequest, ""),
		"a 404 that is a proxy's":         says(http.StatusNotFound, "<html>no such page</html>"),
		"a 401 that no login helps":       says(http.StatusUnauthorized, `{"error": {"code": 401}}`),
		"an answer that is no token":      says(http.StatusOK, `{}`),
		"an answer that is no JSON":       says(http.StatusOK, "welcome"),
		"a connection that breaks":        func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed },
		"an error that repeats the token": says(http.StatusInternalServerError, token),
	} {
		t.Run(name, func(t *testing.T) {
			h.wire.answerWith(answer)
			defer h.wire.answerWith(nil)
			_, err := h.authenticate(token)
			h.unavailable(err)
			h.clock.pass(healthRecheck)
			require.Error(t, h.Ready(t.Context()))
		})
	}
	assert.NotContains(t, h.log.String(), token)
	_, err = h.authenticate(token)
	require.NoError(t, err)
}

func TestAnEndWithoutAZoneIsInUTC(t *testing.T) {
	for _, text := range []string{"2026-11-22T10:21:58.738883", "2026-11-22T10:21:58.738883Z"} {
		var end endOfToken
		require.NoError(t, json.Unmarshal([]byte(strconv.Quote(text)), &end))
		assert.Equal(t, time.Date(2026, 11, 22, 10, 21, 58, 738883000, time.UTC), time.Time(end))
	}
	var end endOfToken
	require.Error(t, json.Unmarshal([]byte(`"soon"`), &end))
}

func TestAKeystoneThatHangsIsGivenUp(t *testing.T) {
	h := newHouse(t)
	token := h.login("demo", "demo")
	synctest.Test(t, func(t *testing.T) {
		h.wire.answerWith(hangs)
		began := time.Now()
		_, err := h.Authenticate(t.Context(), identity.Credentials{Token: token})
		require.Error(t, err)
		assert.True(t, errs.IsKind(err, errs.Unavailable), "%v", err)
		assert.Less(t, time.Since(began), time.Minute)
	})
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	_, err := Open(Config{TokenRecheck: time.Hour, ServiceTokenRoles: []string{""}}, time.Now, nil)
	for _, fault := range []string{"cloud: ", "token_recheck: ", "service_token_roles: "} {
		require.ErrorContains(t, err, fault)
	}
	cfg := DefaultConfig()
	cfg.Cloud, cfg.CloudsFile = "absent", h.file
	_, err = Open(cfg, time.Now, nil)
	require.ErrorContains(t, err, `read the cloud "absent" of clouds.yaml`)
	assert.Equal(t, h.url, h.URL())
}
