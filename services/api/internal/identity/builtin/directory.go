package builtin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// The one domain, with Keystone's id and name for it.
const (
	domainID   = "default"
	domainName = "Default"
)

var theDomain = identity.Domain{ID: domainID, Name: domainName}

type user struct {
	id, name     string
	passwordHash []byte
	disabled     bool
	// roles are the roles by project id, implied ones included.
	roles map[string][]string
}

// credential changes with the password: a token that was given for another one is no longer good.
func (u *user) credential() string {
	sum := sha256.Sum256(u.passwordHash)
	return hex.EncodeToString(sum[:8])
}

type project struct {
	id, name string
}

// directory is what the users file says. It does not change after it was read.
type directory struct {
	users          map[string]*user
	usersByName    map[string]*user
	projects       map[string]*project
	projectsByName map[string]*project
}

// projectsOf lists the projects on which the user has a role, by name.
func (d *directory) projectsOf(u *user) []*project {
	var list []*project
	for id := range u.roles {
		list = append(list, d.projects[id])
	}
	sortProjects(list)
	return list
}

// allProjects lists all projects, by name.
func (d *directory) allProjects() []*project {
	list := make([]*project, 0, len(d.projects))
	for _, p := range d.projects {
		list = append(list, p)
	}
	sortProjects(list)
	return list
}

func sortProjects(list []*project) {
	slices.SortFunc(list, func(a, b *project) int { return cmp.Compare(a.name, b.name) })
}

// isDomain says whether a reference by id or by name means the one domain. Keystone compares names without case.
func isDomain(id, name string) bool {
	if id != "" {
		return id == domainID
	}
	return strings.EqualFold(name, domainName)
}
