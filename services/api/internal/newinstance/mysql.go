package newinstance

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mysql has the rules of MySQL and MariaDB: trove/common/db/mysql/models.py, with MariaDB's own length of user names.
type mysql struct{}

const (
	mysqlMaxDatabase = 64
	mysqlMaxUser     = 32
	mysqlMaxPassword = 128
	// mysqlForbidden may be in no user name and no password.
	mysqlForbidden = `'";` + "`" + `,/\`
)

var (
	mysqlDatabase  = regexp.MustCompile(`^[A-Za-z0-9_-]+[ ?#@]*[A-Za-z0-9_-]+$`)
	mysqlDatabases = []string{"mysql", "information_schema", "performance_schema", "sys"}
	mysqlUsers     = []string{
		"os_admin", "root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema",
		// Names that mean something else in a grant.
		"public", "none", "current_user", "current_role",
	}
)

func (mysql) databaseName(name string) error {
	switch {
	case name == "":
		return invalid("instance['databases']", "'name' of a database is missing or empty")
	case len(name) > mysqlMaxDatabase || !mysqlDatabase.MatchString(name):
		return refused("DATABASE_NAME", "'%s' is not a valid schema name: it must have 2 to %d characters, letters, "+
			"digits, '_' or '-', with none but ' ', '?', '#' or '@' between them.", name, mysqlMaxDatabase)
	case slices.Contains(mysqlDatabases, strings.ToLower(name)):
		return refused("DATABASE_RESERVED", "The database name '%s' is reserved.", name)
	}
	return nil
}

func (mysql) userName(name string) error {
	switch {
	case name == "":
		return invalid("instance['users']", "'name' of a user is missing or empty")
	case utf8.RuneCountInString(name) > mysqlMaxUser || !mysqlPlain(name):
		return refused("USER_NAME", "'%s' is not a valid user name: it must have 1 to %d characters, no blank at its ends "+
			"and none of %s.", name, mysqlMaxUser, mysqlForbidden)
	case slices.Contains(mysqlUsers, strings.ToLower(name)):
		return refused("USER_RESERVED", "The user name '%s' is reserved.", name)
	}
	return nil
}

// password never repeats the password.
func (mysql) password(user, password string) error {
	switch {
	case password == "":
		return invalid("instance['users']", "'password' of user '%s' is missing or empty", user)
	case utf8.RuneCountInString(password) > mysqlMaxPassword || !mysqlPlain(password):
		return refused("PASSWORD", "The password of user '%s' is not valid: it must have 1 to %d characters, no blank at "+
			"its ends and none of %s.", user, mysqlMaxPassword, mysqlForbidden)
	}
	return nil
}

func mysqlPlain(text string) bool {
	return strings.TrimSpace(text) == text && !strings.ContainsAny(text, mysqlForbidden) &&
		!strings.ContainsFunc(text, unicode.IsControl)
}

// host takes an IPv4 address in which % stands for any number, and may end it early: 10.0.%.
func (mysql) host(user, host string) (string, error) {
	if host == "" || host == "%" {
		return "%", nil
	}
	parts := strings.Split(host, ".")
	valid := len(parts) == 4 || len(parts) < 4 && parts[len(parts)-1] == "%"
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		valid = valid && (part == "%" || err == nil && strconv.FormatUint(n, 10) == part)
	}
	if !valid {
		return "", refused("USER_HOST", "'%s' is not a valid host of user '%s': it must be an IPv4 address, in which %% "+
			"stands for any number.", host, user)
	}
	return host, nil
}
