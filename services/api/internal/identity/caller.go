package identity

import (
	"slices"
	"time"
)

// Caller is who a token stands for. It is shared between calls that carry the same token: read it, never change it.
type Caller struct {
	UserID   string
	UserName string
	// ProjectID is empty for a token without a project, which opens no resource.
	ProjectID   string
	ProjectName string
	// DomainID is the domain of user and project.
	DomainID string
	// Roles are the names of the caller's roles on the project, those that a role implies included, as Keystone has
	// it: admin implies member, member implies reader.
	Roles []string
	// Expires is when the token ends.
	Expires time.Time
}

// HasRole says whether the caller has the role on the project.
func (c Caller) HasRole(role string) bool { return slices.Contains(c.Roles, role) }
