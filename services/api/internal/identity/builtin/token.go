package builtin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	// tokenBytes is how many random bytes a token has.
	tokenBytes = 32
	// tokenLength is how long it is written: in hexadecimal, since a token that begins with a dash is an option to
	// command line tools.
	tokenLength = 2 * tokenBytes
)

type tokenHash [sha256.Size]byte

// mayBeToken says whether a text has the form of a token, which can be told without a query.
func mayBeToken(text string) bool { return len(text) == tokenLength }

func hashToken(token string) tokenHash { return sha256.Sum256([]byte(token)) }

// grant is what a token stands for.
type grant struct {
	user *user
	// project is nil for an unscoped token.
	project  *project
	methods  []string
	auditIDs []string
	// issued and expires are whole seconds, so that every database gives them back as they were.
	issued  time.Time
	expires time.Time
}

// roles are the user's roles on the project; none without a project.
func (g grant) roles() []string {
	if g.project == nil {
		return nil
	}
	return g.user.roles[g.project.id]
}

func (g grant) caller() identity.Caller {
	c := identity.Caller{
		UserID: g.user.id, UserName: g.user.name, UserDomain: theDomain, Roles: g.roles(), Expires: g.expires,
	}
	if g.project != nil {
		c.ProjectID, c.ProjectName, c.ProjectDomain = g.project.id, g.project.name, theDomain
	}
	return c
}

// tokenPayload is what the store keeps of a grant beside user and end.
type tokenPayload struct {
	ProjectID  string    `json:"project_id,omitempty"`
	Methods    []string  `json:"methods"`
	AuditIDs   []string  `json:"audit_ids"`
	Issued     time.Time `json:"issued"`
	Expires    time.Time `json:"expires"`
	Credential string    `json:"credential"`
}

// issue makes a token for the grant.
func (b *Builtin) issue(ctx context.Context, g grant) (string, error) {
	payload := tokenPayload{
		Methods: g.methods, AuditIDs: g.auditIDs, Issued: g.issued, Expires: g.expires, Credential: g.user.credential(),
	}
	if g.project != nil {
		payload.ProjectID = g.project.id
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	token := newToken()
	hash := hashToken(token)
	err = b.tokens.SaveToken(ctx, store.Token{Hash: hash[:], UserID: g.user.id, Payload: encoded, Expires: g.expires})
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	return token, nil
}

// find asks the store and the directory what the token stands for; identity.ErrUnauthenticated when for nothing.
func (b *Builtin) find(ctx context.Context, token string) (grant, error) {
	if !mayBeToken(token) {
		return grant{}, identity.ErrUnauthenticated
	}
	hash := hashToken(token)
	stored, err := b.tokens.Token(ctx, hash[:])
	if errors.Is(err, store.ErrNotFound) {
		return grant{}, identity.ErrUnauthenticated
	}
	if err != nil {
		return grant{}, fmt.Errorf("find token: %w", err)
	}
	var payload tokenPayload
	if err := json.Unmarshal(stored.Payload, &payload); err != nil {
		return grant{}, fmt.Errorf("find token: %w", err)
	}
	return b.resolve(stored.UserID, payload)
}

// resolve joins what was stored with what the directory says now.
func (b *Builtin) resolve(userID string, payload tokenPayload) (grant, error) {
	u := b.directory.users[userID]
	if u == nil || u.disabled || u.credential() != payload.Credential || !b.now().Before(payload.Expires) {
		return grant{}, identity.ErrUnauthenticated
	}
	g := grant{
		user: u, methods: payload.Methods, auditIDs: payload.AuditIDs,
		issued: payload.Issued, expires: payload.Expires,
	}
	if payload.ProjectID == "" {
		return g, nil
	}
	g.project = b.directory.projects[payload.ProjectID]
	if g.project == nil || len(g.roles()) == 0 {
		return grant{}, identity.ErrUnauthenticated
	}
	return g, nil
}

// revoke ends a token here at once, and elsewhere after the recheck.
func (b *Builtin) revoke(ctx context.Context, token string) error {
	hash := hashToken(token)
	if err := b.tokens.RevokeToken(ctx, hash[:]); err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	b.cache.Drop(token)
	return nil
}

func newToken() string {
	var token [tokenBytes]byte
	_, _ = rand.Read(token[:]) // cannot fail: crypto/rand ends the program instead
	return hex.EncodeToString(token[:])
}

// newAuditID has the shape of Keystone's: a name for a token that opens nothing.
func newAuditID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // as above
	return base64.RawURLEncoding.EncodeToString(id[:])
}
