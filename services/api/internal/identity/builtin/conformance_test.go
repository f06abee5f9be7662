package builtin

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity/identitytest"
)

func TestItIsAnAuthenticator(t *testing.T) {
	identitytest.Run(t, func(t *testing.T) identitytest.House {
		h := newHouse(t)
		return identitytest.House{
			Authenticator: h,
			Admin:         identitytest.Person{User: "admin", Project: "demo"},
			Member:        identitytest.Person{User: "demo", Project: "demo"},
			Reader:        identitytest.Person{User: "reader", Project: "demo"},
			Recheck:       h.cfg.TokenRecheck,
			Login:         func(_ *testing.T, who identitytest.Person) string { return h.login(who.User, who.Project) },
			Revoke: func(t *testing.T, token string) {
				hash := hashToken(token)
				require.NoError(t, h.tokens.RevokeToken(t.Context(), hash[:]))
			},
			Now:   h.now,
			Pass:  h.pass,
			Asked: h.tokens.asked,
			Away: func(away bool) {
				var fail error
				if away {
					fail = errors.New("connection refused")
				}
				h.tokens.failWith(fail)
			},
		}
	})
}
