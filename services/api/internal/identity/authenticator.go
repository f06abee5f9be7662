package identity

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Authenticator tells who a token stands for.
type Authenticator interface {
	// Authenticate answers ErrUnauthenticated for a token that is missing, unknown, expired or revoked, and an error
	// of kind errs.Unavailable when that cannot be told now.
	Authenticate(ctx context.Context, token string) (Caller, error)
}

// ErrUnauthenticated refuses a call without a good token. It never says what was wrong with the token.
var ErrUnauthenticated = errs.New(errs.Unauthenticated, "UNAUTHENTICATED",
	"The request you have made requires authentication.")
