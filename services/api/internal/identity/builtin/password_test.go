package builtin

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func TestAFloodOfLoginsIsTurnedAway(t *testing.T) {
	v := newVerifier()
	for range cap(v.waiting) {
		v.waiting <- struct{}{}
	}
	_, err := v.matches(t.Context(), nil, "x")
	assert.True(t, errs.IsReason(err, "TOO_MANY_LOGINS"))
}

func TestALoginThatWaitsGivesUpWithItsCall(t *testing.T) {
	v := newVerifier()
	for range cap(v.turns) {
		v.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.matches(ctx, nil, "x")
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, v.waiting, "its place is free again")
}

func TestAnUnknownUserCostsAsMuchAsAKnownOne(t *testing.T) {
	cost, err := bcrypt.Cost([]byte(absentHash))
	require.NoError(t, err)
	assert.Equal(t, passwordCost, cost)
}

func TestHashesOfHtpasswdAreUnderstood(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	require.NoError(t, err)
	u := &user{passwordHash: []byte(strings.Replace(string(hash), "$2a$", "$2y$", 1))}
	right, err := newVerifier().matches(t.Context(), u, "x")
	require.NoError(t, err)
	assert.True(t, right)
}

func TestPasswordsThatBcryptWouldCutAreRefused(t *testing.T) {
	_, err := HashPassword(string(make([]byte, maxPassword+1)))
	assert.Error(t, err)
}
