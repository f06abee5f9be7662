package dbserver_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
)

func TestTheVersionIsThatOfTheProductAlone(t *testing.T) {
	for said, want := range map[string]string{
		"mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)": "10.11.14",
		"mysqld  Ver 8.0.44-0ubuntu0.24.04.1 for Linux on x86_64 ((Ubuntu))":                  "",
		"": "",
	} {
		assert.Equal(t, want, dbserver.MariaDB.Version([]byte(said)), said)
	}
	for said, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15.18",
		"postgres (PostgreSQL) 18beta2":                        "",
		"postgres (EnterpriseDB) 15.18":                        "",
	} {
		assert.Equal(t, want, dbserver.PostgreSQL.Version([]byte(said)), said)
	}
}

func TestVersionsAreOrderedByTheirNumbers(t *testing.T) {
	versions := []string{"10.11.14", "9.6", "10.11", "10.2", "10.11.9", "devel"}
	slices.SortFunc(versions, dbserver.CompareVersions)
	assert.Equal(t, []string{"9.6", "10.2", "10.11", "10.11.9", "10.11.14", "devel"}, versions)
}
