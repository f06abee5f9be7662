package mariadb

import (
	"bytes"
	"fmt"
	"text/template"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// port is where the database listens, on the server's own address.
const port = 3306

// smallRedoMiB is a template's redo log: little to copy. The first start makes it as large as configured, which takes
// it a few milliseconds.
const smallRedoMiB = 8

// usualRedoMiB is MariaDB's default.
const usualRedoMiB = 96

// configuration is what mariadbd reads. What is not here is MariaDB's default; Trove's templates scale the same two
// by the flavor's memory: trove/templates/mysql/config.template.
var configuration = template.Must(template.New("mariadbd.cnf").Parse(`# Written by the guest agent; changes are lost.
[mariadbd]
{{- if .Prefix}}
basedir = {{.Prefix}}/usr
{{- end}}
datadir = {{.DataDir}}
tmpdir = {{.TmpDir}}
pid-file = {{.PIDFile}}
bind-address = {{.Address}}
port = {{.Port}}
skip-name-resolve
local-infile = 0
performance_schema = off
max_connections = {{.Connections}}
innodb_buffer_pool_size = {{.BufferPoolMiB}}M
innodb_log_file_size = {{.RedoMiB}}M
innodb_flush_log_at_trx_commit = 1
innodb_doublewrite = 1
sync_binlog = 1
`))

// Configure writes the configuration for a flavor's memory. It counts from the next start.
func (e *Engine) Configure(memoryMiB int) error {
	var text bytes.Buffer
	err := configuration.Execute(&text, map[string]any{
		"Prefix": e.programs.Prefix, "DataDir": e.dataDir(), "TmpDir": e.tmpDir(),
		"PIDFile": e.server.RunDir() + "/mariadbd.pid", "Address": e.server.Address, "Port": port,
		"Connections": connections(memoryMiB), "BufferPoolMiB": bufferPoolMiB(memoryMiB), "RedoMiB": redoMiB(memoryMiB),
	})
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return durable.WriteFile(e.configPath(), text.Bytes(), 0o644)
}

// bufferPoolMiB is Trove's 150 MiB for each 512 of memory, and what the smallest server needs to work.
func bufferPoolMiB(memoryMiB int) int { return max(memoryMiB*150/512, 24) }

// connections is Trove's 100 for each 512 MiB of memory, and enough for the smallest.
func connections(memoryMiB int) int { return max(memoryMiB*100/512, 20) }

// redoMiB is half the buffer pool, since more could not be dirty for long, up to MariaDB's default.
func redoMiB(memoryMiB int) int {
	return min(max(bufferPoolMiB(memoryMiB)/2, smallRedoMiB), usualRedoMiB)
}
