package builtin

import "net/http"

type domainBody struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Enabled     bool              `json:"enabled"`
	Tags        []string          `json:"tags"`
	Options     struct{}          `json:"options"`
	Links       map[string]string `json:"links"`
}

func (b *Builtin) domainBody() domainBody {
	return domainBody{
		ID: domainID, Name: domainName, Description: "The default domain", Enabled: true, Tags: []string{},
		Links: map[string]string{"self": b.cfg.identityURL() + "/v3/domains/" + domainID},
	}
}

// listOwnDomains is GET /v3/auth/domains: nobody has a role on a domain here.
func (b *Builtin) listOwnDomains(w http.ResponseWriter, r *http.Request) error {
	if _, err := b.authenticated(r); err != nil {
		return err
	}
	return b.listing(w, r, "domains", []domainBody{})
}

// listDomains is GET /v3/domains, for admins, by which clients turn a domain's name into its id.
func (b *Builtin) listDomains(w http.ResponseWriter, r *http.Request) error {
	caller, err := b.authenticated(r)
	if err != nil {
		return err
	}
	if !caller.isAdmin() {
		return forbidden("list_domains")
	}
	bodies := []domainBody{}
	if name := r.URL.Query().Get("name"); name == "" || isDomain("", name) {
		bodies = append(bodies, b.domainBody())
	}
	return b.listing(w, r, "domains", bodies)
}

// showDomain is GET /v3/domains/{domain_id}.
func (b *Builtin) showDomain(w http.ResponseWriter, r *http.Request) error {
	if _, err := b.authenticated(r); err != nil {
		return err
	}
	if id := r.PathValue("domain_id"); id != domainID {
		return notFound("domain", id)
	}
	return reply(w, http.StatusOK, map[string]any{"domain": b.domainBody()})
}
