package builtin

import "net/http"

type projectBody struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	DomainID    string            `json:"domain_id"`
	ParentID    string            `json:"parent_id"`
	Description string            `json:"description"`
	Enabled     bool              `json:"enabled"`
	IsDomain    bool              `json:"is_domain"`
	Tags        []string          `json:"tags"`
	Options     struct{}          `json:"options"`
	Links       map[string]string `json:"links"`
}

func (b *Builtin) projectBody(p *project) projectBody {
	return projectBody{
		ID: p.id, Name: p.name, DomainID: domainID, ParentID: domainID, Enabled: true, Tags: []string{},
		Links: map[string]string{"self": b.cfg.identityURL() + "/v3/projects/" + p.id},
	}
}

// listing is a whole list: Keystone's lists of these have no pages.
func (b *Builtin) listing(w http.ResponseWriter, r *http.Request, key string, elements any) error {
	links := map[string]any{"self": b.cfg.identityURL() + r.URL.Path, "previous": nil, "next": nil}
	return reply(w, http.StatusOK, map[string]any{key: elements, "links": links})
}

func (b *Builtin) listOfProjects(w http.ResponseWriter, r *http.Request, list []*project) error {
	query := r.URL.Query()
	bodies := []projectBody{}
	for _, p := range list {
		if name := query.Get("name"); name != "" && name != p.name {
			continue
		}
		if domain := query.Get("domain_id"); domain != "" && domain != domainID {
			continue
		}
		bodies = append(bodies, b.projectBody(p))
	}
	return b.listing(w, r, "projects", bodies)
}

// listOwnProjects is GET /v3/auth/projects: those for which the caller can have a token.
func (b *Builtin) listOwnProjects(w http.ResponseWriter, r *http.Request) error {
	caller, err := b.authenticated(r)
	if err != nil {
		return err
	}
	return b.listOfProjects(w, r, b.directory.projectsOf(caller.user))
}

// listProjects is GET /v3/projects, for admins.
func (b *Builtin) listProjects(w http.ResponseWriter, r *http.Request) error {
	caller, err := b.authenticated(r)
	if err != nil {
		return err
	}
	if !caller.isAdmin() {
		return forbidden("list_projects")
	}
	return b.listOfProjects(w, r, b.directory.allProjects())
}

// showProject is GET /v3/projects/{project_id}. Others' projects are refused like those that do not exist.
func (b *Builtin) showProject(w http.ResponseWriter, r *http.Request) error {
	caller, err := b.authenticated(r)
	if err != nil {
		return err
	}
	id := r.PathValue("project_id")
	if len(caller.user.roles[id]) == 0 && !caller.isAdmin() {
		return forbidden("get_project")
	}
	p := b.directory.projects[id]
	if p == nil {
		return notFound("project", id)
	}
	return reply(w, http.StatusOK, map[string]any{"project": b.projectBody(p)})
}
