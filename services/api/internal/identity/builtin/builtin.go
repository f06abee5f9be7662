package builtin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Builtin is the identity service. It runs nothing of its own between calls.
type Builtin struct {
	cfg       Config
	directory *directory
	tokens    store.Tokens
	verifier  *verifier
	cache     *cache
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
		cfg: cfg, directory: directory, tokens: tokens, verifier: newVerifier(), cache: newCache(cfg.TokenRecheck),
		now: now, logger: logger,
	}, nil
}

// Authenticate tells who the token stands for. Most calls are answered from memory.
func (b *Builtin) Authenticate(ctx context.Context, token string) (identity.Caller, error) {
	hash := hashToken(token)
	caller, ticket, ok := b.cache.get(hash, b.now())
	if ok {
		return caller, nil
	}
	g, err := b.find(ctx, token)
	if errors.Is(err, identity.ErrUnauthenticated) {
		return identity.Caller{}, identity.ErrUnauthenticated
	}
	if err != nil {
		return identity.Caller{}, errs.New(errs.Unavailable, "IDENTITY_UNAVAILABLE",
			"The identity service cannot check the token now; try again in a moment.").Because(err)
	}
	caller = g.caller()
	b.cache.put(hash, caller, ticket, b.now())
	return caller, nil
}
