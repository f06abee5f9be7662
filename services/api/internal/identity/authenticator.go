package identity

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Credentials are what a call shows to say who makes it.
type Credentials struct {
	// Token is the user's, of the header X-Auth-Token.
	Token string
	// ServiceToken is that of a service that calls for the user, of the header X-Service-Token; empty without one. With it
	// a long task of that service may go on after the user's token has expired.
	ServiceToken string
}

// Authenticator tells who makes a call.
type Authenticator interface {
	// Authenticate answers ErrUnauthenticated for a token that is missing, unknown, expired or revoked, and an error
	// of kind errs.Unavailable when that cannot be told now.
	Authenticate(ctx context.Context, shown Credentials) (Caller, error)
}

// ErrUnauthenticated refuses a call without a good token. It never says what was wrong with the token.
var ErrUnauthenticated = errs.New(errs.Unauthenticated, "UNAUTHENTICATED",
	"The request you have made requires authentication.")

// Unavailable is the error of an identity service that cannot tell now.
func Unavailable(cause error) error {
	return errs.New(errs.Unavailable, "IDENTITY_UNAVAILABLE",
		"The identity service cannot check the token now; try again in a moment.").Because(cause)
}
