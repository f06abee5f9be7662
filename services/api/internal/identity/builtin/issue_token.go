package builtin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// issueToken is POST /v3/auth/tokens.
func (b *Builtin) issueToken(w http.ResponseWriter, r *http.Request) error {
	request, err := decodeAuth(r)
	if err != nil {
		return err
	}
	wanted, err := request.decodeScope()
	if err != nil {
		return err
	}
	g, err := b.identify(r, request)
	if err != nil {
		return err
	}
	if g, err = b.scoped(g, wanted); err != nil {
		return err
	}
	token, err := b.issue(r.Context(), g)
	if err != nil {
		return err
	}
	w.Header().Set("X-Subject-Token", token)
	_, nocatalog := r.URL.Query()["nocatalog"]
	return reply(w, http.StatusCreated, b.tokenBody(g, !nocatalog))
}

var errMethodUnknown = newFault(http.StatusUnauthorized, "Attempted to authenticate with an unsupported method.")

// identify finds the user by every method that the request names; they must agree.
func (b *Builtin) identify(r *http.Request, request *authBody) (grant, error) {
	now := b.now().UTC().Truncate(time.Second)
	g := grant{auditIDs: []string{newAuditID()}, issued: now, expires: now.Add(b.cfg.TokenTTL)}
	for _, method := range request.Identity.Methods {
		var by grant
		var err error
		switch method {
		case "password":
			by, err = b.byPassword(r, request.Identity.Password)
		case "token":
			if request.Identity.Token == nil || request.Identity.Token.ID == "" {
				return grant{}, invalid("Expecting to find token.id in auth.identity.")
			}
			by, err = b.find(r.Context(), request.Identity.Token.ID)
		default:
			err = errMethodUnknown
		}
		if err != nil {
			return grant{}, err
		}
		if g.user != nil && g.user != by.user {
			return grant{}, identity.ErrUnauthenticated
		}
		g = g.after(method, by)
	}
	return g, nil
}

// after adds what a method found. A token made from a token lives no longer than that one and names its chain.
func (g grant) after(method string, by grant) grant {
	g.user = by.user
	for _, m := range append([]string{method}, by.methods...) {
		if !slices.Contains(g.methods, m) {
			g.methods = append(g.methods, m)
		}
	}
	if method == "token" {
		if by.expires.Before(g.expires) {
			g.expires = by.expires
		}
		g.auditIDs = []string{g.auditIDs[0], by.auditIDs[len(by.auditIDs)-1]}
	}
	return g
}

func (b *Builtin) byPassword(r *http.Request, request *passwordRequest) (grant, error) {
	if request == nil || request.User == nil {
		return grant{}, invalid("Expecting to find password.user in auth.identity.")
	}
	asked := request.User
	var u *user
	switch {
	case asked.Password == nil:
		return grant{}, invalid("Expecting to find password in auth.identity.password.user.")
	case asked.ID != "":
		u = b.directory.users[asked.ID]
	case asked.Name == "":
		return grant{}, invalid("Expecting to find id or name in auth.identity.password.user.")
	case asked.Domain == nil:
		return grant{}, invalid("Expecting to find domain in auth.identity.password.user.")
	case isDomain(asked.Domain.ID, asked.Domain.Name):
		u = b.directory.usersByName[asked.Name]
	}
	right, err := b.verifier.matches(r.Context(), u, *asked.Password)
	if err != nil {
		return grant{}, err
	}
	if !right {
		b.logRefusal(r.Context(), u, r.RemoteAddr)
		return grant{}, identity.ErrUnauthenticated
	}
	return grant{user: u}, nil
}

// logRefusal leaves out the name that was given: people type passwords there.
func (b *Builtin) logRefusal(ctx context.Context, u *user, from string) {
	if u == nil {
		b.logger.InfoContext(ctx, "login refused: no such user", "remote_address", from)
		return
	}
	b.logger.InfoContext(ctx, "login refused", "user_id", u.id, "disabled", u.disabled, "remote_address", from)
}

// scoped gives the grant the project that was asked for, if the user has a role on it. Whether a project exists is
// not told to others.
func (b *Builtin) scoped(g grant, wanted scope) (grant, error) {
	if wanted.other {
		return grant{}, identity.ErrUnauthenticated
	}
	if wanted.project == nil {
		return g, nil
	}
	p := b.directory.projects[wanted.project.ID]
	if wanted.project.ID == "" && isDomain(wanted.project.Domain.ID, wanted.project.Domain.Name) {
		p = b.directory.projectsByName[wanted.project.Name]
	}
	if p == nil || len(g.user.roles[p.id]) == 0 {
		return grant{}, identity.ErrUnauthenticated
	}
	g.project = p
	return g, nil
}

// authenticated tells who makes a call to the identity API itself.
func (b *Builtin) authenticated(r *http.Request) (grant, error) {
	return b.find(r.Context(), r.Header.Get("X-Auth-Token"))
}

// subject finds the token that a call is about, which is the caller's own user's unless the caller is an admin.
func (b *Builtin) subject(r *http.Request, policy string) (token string, g grant, err error) {
	caller, err := b.authenticated(r)
	if err != nil {
		return "", grant{}, err
	}
	token = r.Header.Get("X-Subject-Token")
	g, err = b.find(r.Context(), token)
	if errors.Is(err, identity.ErrUnauthenticated) {
		// Keystone repeats the token here; it would end in a log.
		return "", grant{}, newFault(http.StatusNotFound, "Could not find token.")
	}
	if err != nil {
		return "", grant{}, err
	}
	if g.user != caller.user && !caller.isAdmin() {
		return "", grant{}, forbidden(policy)
	}
	return token, g, nil
}
