// Package dbserver is what there is to know of a database server before any runs: what its program is called, where
// packages put it, how it tells its version, and where it listens. The provider offers by it, and the guest agent runs.
package dbserver

import (
	"regexp"
	"slices"
)

// Kind is a kind of database server.
type Kind struct {
	// Manager is Trove's name of it.
	Manager string
	// Program is the server itself.
	Program string
	// Folders are patterns of where packages and builds put its programs, absolute. The first that has them counts.
	Folders []string
	// SideBySide says that each version has folders of its own, which are not on PATH. Of the others a machine has one.
	SideBySide bool
	// Port is the usual one.
	Port int
	// AskVersion are the arguments with which the program prints its version.
	AskVersion []string

	version *regexp.Regexp
}

// Version is the exact number in what the program prints; empty for another product's program of the same name, and for
// what is not released.
func (k Kind) Version(said []byte) string {
	match := k.version.FindSubmatch(said)
	if match == nil {
		return ""
	}
	return string(match[1])
}

// MariaDB is laid out as distributions and MariaDB's own packages do it.
var MariaDB = Kind{
	Manager: "mariadb", Program: "mariadbd", Port: 3306,
	Folders: []string{
		"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin", "/usr/libexec", "/usr/local/mysql/bin",
	},
	AskVersion: []string{"--no-defaults", "--version"}, version: regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`),
}

// PostgreSQL has a folder per major version in Debian's packages and in the PostgreSQL project's.
var PostgreSQL = Kind{
	Manager: "postgresql", Program: "postgres", Port: 5432, SideBySide: true,
	Folders:    []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"},
	AskVersion: []string{"--version"}, version: regexp.MustCompile(`\(PostgreSQL\) (\d+\.\d+)\b`),
}

// Kinds are all of them, the default one first.
var Kinds = []Kind{MariaDB, PostgreSQL}

// Of is the kind with a manager's name.
func Of(manager string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Manager == manager })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}
