package identity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

func TestTheCallerTravelsInTheContext(t *testing.T) {
	_, ok := identity.FromContext(t.Context())
	assert.False(t, ok)

	caller, ok := identity.FromContext(identity.NewContext(t.Context(), identity.Caller{UserID: "u", Roles: []string{"member"}}))
	assert.True(t, ok)
	assert.Equal(t, "u", caller.UserID)
	assert.True(t, caller.HasRole("member"))
	assert.False(t, caller.HasRole("admin"))
}
