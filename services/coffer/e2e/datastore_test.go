package e2e_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// datastore is an engine seen from outside.
type datastore struct {
	// name is the API's, program the name of its process, log the file that it writes.
	name, program, log string
	// ready is what it logs once in each start.
	ready string
	// parameter is how its SQL spells the first one.
	parameter string
	// serial is how its SQL spells a key that counts by itself.
	serial string
	// open makes connections as the user of newInstance.
	open func(ip string) (*sql.DB, error)
	// installed are patterns of where its program is, which says its version with these arguments.
	installed []string
	// tools are patterns of what else it needs there.
	tools   []string
	asked   []string
	version *regexp.Regexp
}

var mariadb = datastore{
	name: "mariadb", program: "mariadbd", log: "mariadbd.log", ready: "ready for connections", parameter: "?",
	serial: "BIGINT AUTO_INCREMENT PRIMARY KEY", open: openMariaDB,
	installed: []string{"/usr/sbin/mariadbd"}, asked: []string{"--no-defaults", "--version"},
	tools:   []string{"/usr/bin/m*", "/usr/bin/resolveip", "/usr/share", "/usr/lib"},
	version: regexp.MustCompile(`Ver ([\d.]+)-MariaDB`),
}

var postgresql = datastore{
	name: "postgresql", program: "postgres", log: "postgresql.log", ready: "ready to accept connections", parameter: "$1",
	serial: "BIGSERIAL PRIMARY KEY", open: openPostgreSQL, installed: []string{"/usr/lib/postgresql/*/bin/postgres"}, asked: []string{"--version"},
	tools:   []string{"/usr/lib/postgresql/*/bin/*"},
	version: regexp.MustCompile(`\(PostgreSQL\) ([\d.]+)`),
}

var everyDatastore = []datastore{mariadb, postgresql}

// forEachDatastore runs a test for each engine, side by side: most of it is waiting.
func forEachDatastore(t *testing.T, test func(t *testing.T, d datastore)) {
	t.Helper()
	for _, d := range everyDatastore {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// newInstance is the create request of newInstance for this engine.
func (d datastore) newInstance(name string) map[string]any {
	body := newInstance(name)
	body["instance"].(map[string]any)["datastore"] = map[string]any{"type": d.name}
	return body
}

// versions are the exact ones on this host.
func (d datastore) versions() ([]string, error) { return d.versionsIn("/") }

// versionsIn are those in a root folder.
func (d datastore) versionsIn(root string) ([]string, error) {
	var found []string
	for _, pattern := range d.installed {
		programs, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, program := range programs {
			ask := exec.Command(program, d.asked...)
			if root != "/" {
				ask = exec.Command("chroot", append([]string{root, strings.TrimPrefix(program, root)}, d.asked...)...)
			}
			said, err := ask.Output()
			if err != nil {
				return nil, fmt.Errorf("ask %s for its version: %w", program, err)
			}
			version := d.version.FindSubmatch(said)
			if version == nil {
				return nil, fmt.Errorf("%s is no version of %s", said, d.name)
			}
			found = append(found, string(version[1]))
		}
	}
	return found, nil
}

func openMariaDB(ip string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = "keeper", userPassword, "shop"
	config.Net, config.Addr = "tcp", net.JoinHostPort(ip, "3306")
	config.Logger = &mysql.NopLogger{}
	config.Timeout, config.ReadTimeout, config.WriteTimeout = patience, patience, patience
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func openPostgreSQL(ip string) (*sql.DB, error) {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("keeper", userPassword), Host: net.JoinHostPort(ip, "5432"), Path: "shop",
		RawQuery: fmt.Sprintf("sslmode=disable&connect_timeout=%.0f", patience.Seconds()),
	}
	return sql.Open("pgx", address.String())
}
