package guestagent_test

import (
	"database/sql"
	"net/url"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// kind is an engine seen from outside.
type kind struct {
	manager string
	// mark and config are the option and the file in conf/ that stand on the database's command line.
	mark, config string
	log          string
	// charset and collate are those of the first database.
	charset, collate string
	// accounts are names with which nobody may come in, and system is a database that nobody may enter.
	accounts []string
	system   string
	// refused is how those are turned away who may not come in.
	refused string
	// taken are words of a start whose port another has.
	taken []string
	// version is a pattern of an exact one.
	version string
	// readsFrozen says whether a frozen server still serves reading, and sendsCopies whether copies go through the agents.
	readsFrozen, sendsCopies bool
	open                     func(address, user, password, database string) (*sql.DB, error)
}

var mariaDB = kind{
	manager: "mariadb", mark: "--defaults-file=", config: "mariadbd.cnf", log: "mariadbd.log",
	charset: "utf8mb4", collate: "utf8mb4_general_ci",
	accounts: []string{"root", "os_admin", "", "mariadb.sys"}, system: "mysql", refused: "Access denied",
	taken: []string{"Bind on TCP/IP port", "port: 3306"}, version: `^\d+\.\d+\.\d+$`, open: openMariaDB,
	readsFrozen: true, sendsCopies: true,
}

var postgreSQL = kind{
	manager: "postgresql", mark: "--config_file=", config: "postgresql.conf", log: "postgresql.log",
	charset: "UTF8", collate: "C",
	accounts: []string{"postgres", "os_admin", "nobody"}, system: "postgres", refused: "SQLSTATE 28",
	taken: []string{"could not bind IPv4 address", "Address already in use"}, version: `^\d+\.\d+$`, open: openPostgreSQL,
}

// forEachKind runs a test on each engine, side by side: most of it is waiting.
func forEachKind(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range []kind{mariaDB, postgreSQL} {
		t.Run(k.manager, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

func (k kind) prepareRequest(id string, epoch int64) *guestagentv1.PrepareRequest {
	return &guestagentv1.PrepareRequest{
		Operation: &guestagentv1.Operation{Id: id, Epoch: epoch}, Manager: k.manager, Ram: 256,
		Databases: []*guestagentv1.Database{{Name: "app", CharacterSet: k.charset, Collate: k.collate}, {Name: "a_p"}},
		Users:     []*guestagentv1.User{{Name: "ann", Password: password, Databases: []string{"app", "a_p"}}},
	}
}

func openMariaDB(address, user, password, database string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = user, password, database
	config.Net, config.Addr, config.Logger = "tcp", address+":3306", &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func openPostgreSQL(address, user, password, database string) (*sql.DB, error) {
	where := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: address + ":5432", Path: database,
		RawQuery: "sslmode=disable",
	}
	return sql.Open("pgx", where.String())
}
