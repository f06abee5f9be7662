package newinstance

import (
	"slices"
	"strings"
	"unicode"
)

// postgresql has the rules of PostgreSQL: trove/common/db/postgresql/models.py.
type postgresql struct{}

const postgresqlMaxName = 63

var postgresqlReserved = []string{"os_admin", "postgres", "template0", "template1"}

func (postgresql) databaseName(name string) error {
	return postgresqlName("instance['databases']", "database", name)
}

func (postgresql) userName(name string) error {
	if strings.HasPrefix(strings.ToLower(name), "pg_") {
		return refused("USER_RESERVED", "The user name '%s' is reserved: no name may begin with 'pg_'.", name)
	}
	return postgresqlName("instance['users']", "user", name)
}

func postgresqlName(path, what, name string) error {
	switch {
	case name == "":
		return invalid(path, "'name' of a %s is missing or empty", what)
	case len(name) > postgresqlMaxName || strings.TrimRight(name, " ") != name ||
		strings.ContainsFunc(name, unicode.IsControl):
		return refused("NAME", "'%s' is not a valid %s name: it must have 1 to %d bytes and no blank at its end.",
			name, what, postgresqlMaxName)
	case slices.Contains(postgresqlReserved, strings.ToLower(name)):
		return refused("NAME_RESERVED", "The %s name '%s' is reserved.", what, name)
	}
	return nil
}

// charset leaves both to the engine.
func (postgresql) charset(charset, collate string) (string, string, error) {
	return charset, collate, nil
}

// password never repeats the password.
func (postgresql) password(user, password string) error {
	if password == "" || strings.ContainsFunc(password, unicode.IsControl) {
		return invalid("instance['users']", "'password' of user '%s' is missing, empty or has control characters", user)
	}
	return nil
}

// host does not count: PostgreSQL ties no user to one.
func (postgresql) host(_, _ string) (string, error) { return "%", nil }
