package dbconfig_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/dbconfig"
)

func TestSizesFollowTheFlavorsMemory(t *testing.T) {
	for _, c := range []struct {
		manager   string
		memoryMiB int
		want      map[string]string
	}{
		{"mariadb", 512, map[string]string{"innodb_buffer_pool_size": "150M", "max_connections": "100", "innodb_log_file_size": "75M"}},
		{"mariadb", 4096, map[string]string{"innodb_buffer_pool_size": "1200M", "max_connections": "800", "innodb_log_file_size": "96M"}},
		{"mariadb", 16, map[string]string{"innodb_buffer_pool_size": "24M", "max_connections": "20", "innodb_log_file_size": "12M"}},
		{"postgresql", 512, map[string]string{"shared_buffers": "51MB", "effective_cache_size": "512MB", "max_connections": "100"}},
		{"postgresql", 3071, map[string]string{"shared_buffers": "307MB", "effective_cache_size": "2559MB"}},
		{"postgresql", 4096, map[string]string{"shared_buffers": "1024MB", "effective_cache_size": "3584MB", "max_connections": "100"}},
		{"postgresql", 16, map[string]string{"shared_buffers": "16MB", "maintenance_work_mem": "16MB"}},
	} {
		got := dbconfig.Defaults(c.manager, "", c.memoryMiB)
		for name, value := range c.want {
			assert.Equal(t, value, got[name], "%s of %s with %d MiB", name, c.manager, c.memoryMiB)
		}
	}
}

func TestAnEngineThatIsNotKnownHasNoDefaults(t *testing.T) {
	require.Nil(t, dbconfig.Defaults("oracle", "23", 1024))
}

func TestTheCallerMayChangeWhatItGot(t *testing.T) {
	dbconfig.Defaults("postgresql", "15", 512)["max_connections"] = "1"
	assert.Equal(t, "100", dbconfig.Defaults("postgresql", "15", 512)["max_connections"])
}
