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
