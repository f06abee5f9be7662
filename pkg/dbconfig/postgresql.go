package dbconfig

// fromHereMiB is the memory from which on a quarter of it is shared buffers; below, a tenth.
const fromHereMiB = 3072

// postgresql scales by memory what Trove's template does: trove/templates/postgresql/config.template. Whatever a
// replica or a later pg_rewind needs is there from the first start, since it could not be had without another one.
func postgresql(memoryMiB int) map[string]string {
	return map[string]string{ //nolint:gosec // no password is in it
		"default_text_search_config": "pg_catalog.english",
		"effective_cache_size":       inUnit(max(memoryMiB-512, 512), "MB"),
		"hot_standby":                "on",
		"lc_messages":                "C",
		// The text of a statement that failed may hold a password.
		"log_min_error_statement": "panic",
		"log_timezone":            "UTC",
		"maintenance_work_mem":    inUnit(min(max(memoryMiB/16, 16), 1024), "MB"),
		"max_connections":         "100",
		"max_replication_slots":   "10",
		"max_wal_senders":         "10",
		"password_encryption":     "scram-sha-256",
		"shared_buffers":          inUnit(sharedBuffersMiB(memoryMiB), "MB"),
		"timezone":                "UTC",
		"wal_level":               "replica",
		// How soon a replica notices that its source has come back, or is another one.
		"wal_retrieve_retry_interval": "500ms",
		// How long a replica that hangs can hold up the stop of its source.
		"wal_sender_timeout": "10s",
		"wal_log_hints":      "on",
	}
}

func sharedBuffersMiB(memoryMiB int) int {
	if memoryMiB < fromHereMiB {
		return max(memoryMiB/10, 16)
	}
	return memoryMiB / 4
}
