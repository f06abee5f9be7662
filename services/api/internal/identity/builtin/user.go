package builtin

import "net/http"

type userBody struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	DomainID          string            `json:"domain_id"`
	Enabled           bool              `json:"enabled"`
	PasswordExpiresAt *string           `json:"password_expires_at"`
	Options           struct{}          `json:"options"`
	Links             map[string]string `json:"links"`
}

// ownUser finds the user that the path names: the caller's own, or anyone for an admin.
func (b *Builtin) ownUser(r *http.Request, policy string) (*user, error) {
	caller, err := b.authenticated(r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("user_id")
	if id != caller.user.id && !caller.isAdmin() {
		return nil, forbidden(policy)
	}
	u := b.directory.users[id]
	if u == nil {
		return nil, notFound("user", id)
	}
	return u, nil
}

// showUser is GET /v3/users/{user_id}.
func (b *Builtin) showUser(w http.ResponseWriter, r *http.Request) error {
	u, err := b.ownUser(r, "get_user")
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"user": userBody{
		ID: u.id, Name: u.name, DomainID: domainID, Enabled: !u.disabled,
		Links: map[string]string{"self": b.cfg.identityURL() + "/v3/users/" + u.id},
	}})
}

// listUserProjects is GET /v3/users/{user_id}/projects, which `openstack project list` asks for.
func (b *Builtin) listUserProjects(w http.ResponseWriter, r *http.Request) error {
	u, err := b.ownUser(r, "list_user_projects")
	if err != nil {
		return err
	}
	return b.listOfProjects(w, r, b.directory.projectsOf(u))
}
