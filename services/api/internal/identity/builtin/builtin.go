package builtin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/tokencache"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Builtin is the identity service. It runs nothing of its own between calls.
type Builtin struct {
	cfg       Config
	directory *directory
	tokens    store.Tokens
	verifier  *verifier
	cache     *tokencache.Cache
	now       func() time.Time
	logger    *slog.Logger
}

var _ identity.Authenticator = (*Builtin)(nil)

// Open reads the users file. now is the clock, time.Now outside of tests. Expired tokens stay in the store until
// somebody calls its PurgeExpired.
func Open(cfg Config, tokens store.Tokens, now func() time.Time, logger *slog.Logger) (*Builtin, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	directory, err := readUsersFile(cfg.UsersFile)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return &Builtin{
		cfg: cfg, directory: directory, tokens: tokens, verifier: newVerifier(), cache: tokencache.New(cfg.TokenRecheck, now),
		now: now, logger: logger,
	}, nil
}

// URL is where clients get their tokens.
func (b *Builtin) URL() string { return b.cfg.identityURL() + "/v3" }

// Authenticate tells who the token stands for. Most calls are answered from memory. A service's token beside it changes
// nothing: an expired token is forgotten here.
func (b *Builtin) Authenticate(ctx context.Context, shown identity.Credentials) (identity.Caller, error) {
	if !mayBeToken(shown.Token) {
		return identity.Caller{}, identity.ErrUnauthenticated
	}
	return b.cache.Find(ctx, shown.Token, func(ctx context.Context) (identity.Caller, time.Time, error) {
		g, err := b.find(ctx, shown.Token)
		if errors.Is(err, identity.ErrUnauthenticated) {
			return identity.Caller{}, time.Time{}, identity.ErrUnauthenticated
		}
		if err != nil {
			return identity.Caller{}, time.Time{}, identity.Unavailable(err)
		}
		return g.caller(), g.expires, nil
	})
}
