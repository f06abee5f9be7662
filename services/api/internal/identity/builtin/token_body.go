package builtin

import "time"

// reference names a domain, a role or a project.
type reference struct {
	Domain *reference `json:"domain,omitempty"`
	ID     string     `json:"id"`
	Name   string     `json:"name"`
}

type tokenUser struct {
	Domain            reference `json:"domain"`
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	PasswordExpiresAt *string   `json:"password_expires_at"`
}

// tokenBody is Keystone's view of a token. Keys about the project are absent without one.
type tokenBody struct {
	Methods   []string         `json:"methods"`
	User      tokenUser        `json:"user"`
	AuditIDs  []string         `json:"audit_ids"`
	ExpiresAt string           `json:"expires_at"`
	IssuedAt  string           `json:"issued_at"`
	Project   *reference       `json:"project,omitempty"`
	IsDomain  *bool            `json:"is_domain,omitempty"`
	Roles     []reference      `json:"roles,omitempty"`
	Catalog   []catalogService `json:"catalog,omitempty"`
}

var defaultDomain = reference{ID: domainID, Name: domainName}

func (b *Builtin) tokenBody(g grant, withCatalog bool) map[string]tokenBody {
	body := tokenBody{
		Methods:   g.methods,
		User:      tokenUser{Domain: defaultDomain, ID: g.user.id, Name: g.user.name},
		AuditIDs:  g.auditIDs,
		ExpiresAt: tokenTime(g.expires),
		IssuedAt:  tokenTime(g.issued),
	}
	if g.project != nil {
		body.Project = &reference{Domain: &defaultDomain, ID: g.project.id, Name: g.project.name}
		body.IsDomain = new(bool)
		for _, role := range g.roles() {
			body.Roles = append(body.Roles, reference{ID: fixedID("role", role), Name: role})
		}
		if withCatalog {
			body.Catalog = b.catalog(g.project)
		}
	}
	return map[string]tokenBody{"token": body}
}

// tokenTime is Keystone's form of a time, which unlike Trove's has microseconds and a zone.
func tokenTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
