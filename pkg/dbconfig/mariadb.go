package dbconfig

import "strconv"

const (
	// smallestRedoMiB is the smallest redo log that is of use.
	smallestRedoMiB = 8
	// usualRedoMiB is MariaDB's default.
	usualRedoMiB = 96
)

// mariadb scales by memory what Trove's template does: trove/templates/mysql/config.template.
func mariadb(memoryMiB int) map[string]string {
	pool := bufferPoolMiB(memoryMiB)
	return map[string]string{
		"innodb_buffer_pool_size":        inUnit(pool, "M"),
		"innodb_doublewrite":             "1",
		"innodb_flush_log_at_trx_commit": "1",
		// Half the pool, since more could not be dirty for long.
		"innodb_log_file_size": inUnit(min(max(pool/2, smallestRedoMiB), usualRedoMiB), "M"),
		"local_infile":         "0",
		"max_connections":      strconv.Itoa(connections(memoryMiB)),
		"performance_schema":   "OFF",
		"skip_name_resolve":    "ON",
		"sync_binlog":          "1",
	}
}

// bufferPoolMiB is Trove's 150 MiB for each 512 of memory, and what the smallest server needs to work.
func bufferPoolMiB(memoryMiB int) int { return max(memoryMiB*150/512, 24) }

// connections is Trove's 100 for each 512 MiB of memory, and enough for the smallest.
func connections(memoryMiB int) int { return max(memoryMiB*100/512, 20) }
