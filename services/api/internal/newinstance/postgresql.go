package newinstance

import (
	"slices"
	"strings"
	"unicode"
)

// postgresql has the rules of PostgreSQL: trove/common/db/postgresql/models.py.
type postgresql struct{}

const postgresqlMaxName = 63

var (
	postgresqlReserved = []string{"os_admin", "postgres", "template0", "template1"}
	// postgresqlNobody are words that name no user, even quoted.
	postgresqlNobody = []string{"public", "none"}
	// postgresqlPrefixes begin the names of users that are PostgreSQL's own, or replicas'.
	postgresqlPrefixes = []string{"pg_", "coffer_repl"}
	// postgresqlCharsets are the character sets that a database may have, without signs and in lower case, in which
	// PostgreSQL compares them: src/common/encnames.c.
	postgresqlCharsets = strings.Fields("euccn eucjis2004 eucjp euckr euctw iso88591 iso88595 iso88596 iso88597 iso88598 " +
		"koi8 koi8r koi8u latin1 latin2 latin3 latin4 latin5 latin6 latin7 latin8 latin9 latin10 sqlascii unicode utf8 " +
		"win win866 win874 win1250 win1251 win1252 win1253 win1254 win1255 win1256 win1257 win1258")
)

func (postgresql) databaseName(name string) error {
	return postgresqlName("instance['databases']", "database", name)
}

func (postgresql) userName(name string) error {
	lower := strings.ToLower(name)
	for _, prefix := range postgresqlPrefixes {
		if strings.HasPrefix(lower, prefix) {
			return refused("USER_RESERVED", "The user name '%s' is reserved: no name may begin with '%s'.", name, prefix)
		}
	}
	if slices.Contains(postgresqlNobody, lower) {
		return refused("USER_RESERVED", "The user name '%s' is reserved.", name)
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

// charset knows PostgreSQL's character sets; which collations there are is the machine's to know.
func (postgresql) charset(charset, collate string) (string, string, error) {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, charset)
	if charset != "" && !slices.Contains(postgresqlCharsets, plain) {
		return "", "", refused("CHARACTER_SET", "'%s' not a valid character set.", charset)
	}
	if strings.ContainsFunc(collate, unicode.IsControl) || len(collate) > postgresqlMaxName {
		return "", "", refused("COLLATION", "'%s' not a valid collation.", collate)
	}
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
