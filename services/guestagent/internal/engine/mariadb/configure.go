package mariadb

import (
	"bytes"
	"fmt"
	"text/template"

	"github.com/coffer-dbaas/coffer/pkg/dbconfig"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// port is where the database listens, on the server's own address.
const port = 3306

// smallRedoMiB is a template's redo log: little to copy. The first start makes it as large as configured, which takes
// it a few milliseconds.
const smallRedoMiB = 8

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
`))

// Configure writes the configuration for a flavor's memory. It counts from the next start.
func (e *Engine) Configure(memoryMiB int) error {
	var text bytes.Buffer
	err := configuration.Execute(&text, map[string]any{
		"Prefix": e.programs.Prefix, "DataDir": e.dataDir(), "TmpDir": e.tmpDir(),
		"PIDFile": e.server.RunDir() + "/mariadbd.pid", "Address": e.server.Address, "Port": port,
		"Defaults": dbconfig.Defaults(Manager, e.Version(), memoryMiB),
	})
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return durable.WriteFile(e.configPath(), text.Bytes(), 0o644)
}
