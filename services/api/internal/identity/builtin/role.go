package builtin

import "slices"

// The roles that Keystone's own bootstrap makes.
const (
	roleAdmin  = "admin"
	roleMember = "member"
	roleReader = "reader"
)

// impliedRoles are those of Keystone's bootstrap: a token of an admin names all three.
var impliedRoles = map[string][]string{
	roleAdmin:  {roleMember, roleReader},
	roleMember: {roleReader},
}

// withImplied adds what the roles imply, sorted and each once.
func withImplied(roles []string) []string {
	all := slices.Clone(roles)
	for _, role := range roles {
		all = append(all, impliedRoles[role]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isAdmin says whether the token itself carries the role: an admin who took a token for a project where they are
// none acts as none.
func (g grant) isAdmin() bool { return slices.Contains(g.roles(), roleAdmin) }
