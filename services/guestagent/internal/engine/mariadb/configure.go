package mariadb

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"text/template"

	"github.com/coffer-dbaas/coffer/pkg/dbconfig"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// port is where the database listens, on the server's own address.
const port = 3306

// smallRedoMiB is a template's redo log: little to copy. The first start makes it as large as configured, which takes
// it a few milliseconds.
const smallRedoMiB = 8

// binlogMiB is the size of one binlog: the step in which the history for replicas is trimmed.
const binlogMiB = 32

// relayLog begins the names of the files with what a replica has received.
const relayLog = "relay"

// configuration is what mariadbd reads. What is not here is MariaDB's default.
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
{{- range $name, $value := .Defaults}}
{{$name}} = {{$value}}
{{- end}}
# The agent says who may write, and who follows whom.
read_only = 1
skip_slave_start
server_id = {{.ServerID}}
log_bin = binlog
binlog_format = row
max_binlog_size = {{.BinlogMiB}}M
expire_logs_days = 3
gtid_strict_mode = 1
log_slave_updates = 1
relay_log = {{.RelayLog}}
relay_log_recovery = 1
relay_log_space_limit = 256M
slave_parallel_threads = 4
slave_net_timeout = 10
`))

// Configure writes the configuration for a flavor's memory. It counts from the next start.
func (e *Engine) Configure(memoryMiB int) error {
	var text bytes.Buffer
	err := configuration.Execute(&text, map[string]any{
		"Prefix": e.programs.Prefix, "DataDir": e.dataDir(), "TmpDir": e.tmpDir(),
		"PIDFile": e.server.RunDir() + "/mariadbd.pid", "Address": e.server.Address, "Port": port,
		"Defaults": dbconfig.Defaults(Manager, e.Version(), memoryMiB),
		"ServerID": serverID(e.server.InstanceID), "BinlogMiB": binlogMiB, "RelayLog": relayLog,
	})
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return durable.WriteFile(e.configPath(), text.Bytes(), 0o644)
}

// serverID tells the servers of a set apart. MariaDB wants a number of 32 bits, and not 0.
func serverID(instanceID string) uint32 { return max(crc32.ChecksumIEEE([]byte(instanceID)), 1) }
