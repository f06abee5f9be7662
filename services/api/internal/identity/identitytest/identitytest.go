package identitytest

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// House is an authenticator that remembers nothing yet, and what stands behind it.
type House struct {
	identity.Authenticator
	// Admin, Member and Reader are users whose highest role on a project is that one.
	Admin, Member, Reader Person
	// Recheck is for how long a good token is believed.
	Recheck time.Duration
	// Login gives a token for the person's project, or for none.
	Login func(t *testing.T, who Person) string
	// Revoke ends a token behind the authenticator's back.
	Revoke func(t *testing.T, token string)
	// Now is the authenticator's clock, and Pass lets time go by on it.
	Now  func() time.Time
	Pass func(time.Duration)
	// Asked counts the questions about tokens that the authenticator has asked.
	Asked func() int
	// Away has no question answered from now on, or answered again.
	Away func(away bool)
}

// Person is somebody of the domain Default, whose id is default.
type Person struct {
	User string
	// Project is empty for a token without one.
	Project string
}

// Open makes a house; the test cleans it up.
type Open func(t *testing.T) House

// Run runs the whole contract.
func Run(t *testing.T, open Open) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var tests = map[string]func(*testing.T, House){
	"ATokenNamesItsCaller":                       tokenNamesItsCaller,
	"RolesComeWithThoseTheyImply":                rolesComeWithThoseTheyImply,
	"ATokenWithoutAProjectHasNoRoles":            tokenWithoutAProjectHasNoRoles,
	"NoGoodTokenNoCaller":                        noGoodTokenNoCaller,
	"ARepeatedTokenIsAskedAboutOncePerRecheck":   repeatedTokenIsAskedAboutOncePerRecheck,
	"CallsThatComeTogetherAskOnce":               callsThatComeTogetherAskOnce,
	"ATokenEndsInTime":                           tokenEndsInTime,
	"ARevokedTokenEndsAtTheRecheckAtTheLatest":   revokedTokenEndsAtTheRecheck,
	"AnOutageIsNoRefusal":                        outageIsNoRefusal,
	"ATokenIsBelievedThroughAnOutageTillRecheck": tokenIsBelievedThroughAnOutage,
}

var defaultDomain = identity.Domain{ID: "default", Name: "Default"}

func (h House) authenticate(t *testing.T, token string) (identity.Caller, error) {
	t.Helper()
	return h.Authenticate(t.Context(), identity.Credentials{Token: token})
}

func (h House) caller(t *testing.T, token string) identity.Caller {
	t.Helper()
	caller, err := h.authenticate(t, token)
	require.NoError(t, err)
	return caller
}

func (h House) refuses(t *testing.T, token string) {
	t.Helper()
	caller, err := h.authenticate(t, token)
	require.ErrorIs(t, err, identity.ErrUnauthenticated)
	assert.Empty(t, caller)
}

func tokenNamesItsCaller(t *testing.T, h House) {
	caller := h.caller(t, h.Login(t, h.Member))
	assert.NotEmpty(t, caller.UserID)
	assert.Equal(t, h.Member.User, caller.UserName)
	assert.Equal(t, defaultDomain, caller.UserDomain)
	assert.NotEmpty(t, caller.ProjectID)
	assert.Equal(t, h.Member.Project, caller.ProjectName)
	assert.Equal(t, defaultDomain, caller.ProjectDomain)
	assert.True(t, caller.Expires.After(h.Now()), "%s", caller.Expires)

	again := h.caller(t, h.Login(t, h.Member))
	assert.Equal(t, caller.UserID, again.UserID)
	assert.Equal(t, caller.ProjectID, again.ProjectID)
}

func rolesComeWithThoseTheyImply(t *testing.T, h House) {
	for _, test := range []struct {
		who  Person
		want []string
	}{
		{h.Admin, []string{"admin", "member", "reader"}},
		{h.Member, []string{"member", "reader"}},
		{h.Reader, []string{"reader"}},
	} {
		caller := h.caller(t, h.Login(t, test.who))
		assert.ElementsMatch(t, test.want, caller.Roles, test.who.User)
	}
}

func tokenWithoutAProjectHasNoRoles(t *testing.T, h House) {
	caller := h.caller(t, h.Login(t, Person{User: h.Admin.User}))
	assert.Equal(t, h.Admin.User, caller.UserName)
	assert.Empty(t, caller.ProjectID)
	assert.Empty(t, caller.ProjectDomain)
	assert.Empty(t, caller.Roles)
}

func noGoodTokenNoCaller(t *testing.T, h House) {
	good := h.Login(t, h.Member)
	for _, token := range []string{
		"", "short", strings.Repeat("a", 64), strings.Repeat("x", 1<<16), "gAAAAAB" + strings.Repeat("k", 180),
		"two\nlines", "caf\u00e9", good + "0", good[:len(good)-1], strings.ToUpper(good),
	} {
		h.refuses(t, token)
	}
	h.caller(t, good)
}

func repeatedTokenIsAskedAboutOncePerRecheck(t *testing.T, h House) {
	token := h.Login(t, h.Member)
	for range 100 {
		h.caller(t, token)
	}
	first := h.Asked()
	h.Pass(h.Recheck - time.Millisecond)
	h.caller(t, token)
	assert.Equal(t, first, h.Asked())
	h.Pass(time.Millisecond)
	h.caller(t, token)
	assert.Equal(t, first+1, h.Asked())
}

func callsThatComeTogetherAskOnce(t *testing.T, h House) {
	h.caller(t, h.Login(t, h.Reader)) // whatever the authenticator itself has to ask for first
	tokens := []string{h.Login(t, h.Member), h.Login(t, h.Admin)}
	before := h.Asked()
	var calls sync.WaitGroup
	for range 100 {
		token := tokens[rand.IntN(len(tokens))] //nolint:gosec // no secret
		calls.Go(func() {
			_, err := h.authenticate(t, token)
			assert.NoError(t, err)
		})
	}
	calls.Wait()
	assert.Equal(t, before+len(tokens), h.Asked())
}

func tokenEndsInTime(t *testing.T, h House) {
	token := h.Login(t, h.Member)
	caller := h.caller(t, token)
	h.Pass(caller.Expires.Sub(h.Now()) - h.Recheck/2)
	h.caller(t, token)
	h.Pass(h.Recheck)
	h.refuses(t, token)
}

func revokedTokenEndsAtTheRecheck(t *testing.T, h House) {
	token, other := h.Login(t, h.Member), h.Login(t, h.Member)
	h.caller(t, token)
	h.Revoke(t, token)
	h.Pass(h.Recheck)
	h.refuses(t, token)
	h.caller(t, other)
}

func outageIsNoRefusal(t *testing.T, h House) {
	token := h.Login(t, h.Member)
	h.Away(true)
	_, err := h.authenticate(t, token)
	require.Error(t, err)
	assert.True(t, errs.IsKind(err, errs.Unavailable), "%v", err)
	require.NotErrorIs(t, err, identity.ErrUnauthenticated)
	assert.NotContains(t, err.Error(), token)
	h.refuses(t, "") // what is no token is told without asking
	h.Away(false)
	h.caller(t, token)
}

func tokenIsBelievedThroughAnOutage(t *testing.T, h House) {
	token := h.Login(t, h.Member)
	h.caller(t, token)
	h.Away(true)
	h.Pass(h.Recheck - time.Millisecond)
	h.caller(t, token)
	h.Pass(time.Millisecond)
	_, err := h.authenticate(t, token)
	assert.True(t, errs.IsKind(err, errs.Unavailable), "%v", err)
}
