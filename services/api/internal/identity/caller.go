package identity

import (
	"slices"
	"time"
)

// Caller is who a token stands for. It is shared between calls that carry the same token: read it, never change it.
type Caller struct {
	UserID   string
	UserName string
	// UserDomain is where the user's name is unique.
	UserDomain Domain
	// ProjectID is empty for a token without a project, which opens no resource.
	ProjectID   string
	ProjectName string
	// ProjectDomain is where the project's name is unique. It may be another one than the user's.
	ProjectDomain Domain
	// Roles are the names of the caller's roles on the project, those that a role implies included, as Keystone has
	// it: admin implies member, member implies reader. None without a project.
	Roles []string
	// Expires is when the token ends. It has passed where a service vouches for an expired token.
	Expires time.Time
}

// Domain is a Keystone's domain.
type Domain struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// HasRole says whether the caller has the role on the project.
func (c Caller) HasRole(role string) bool { return slices.Contains(c.Roles, role) }
