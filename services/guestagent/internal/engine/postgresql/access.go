package postgresql

import (
	"fmt"
	"os"
	"strings"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

const (
	accessName = "pg_hba.conf"
	mapName    = "pg_ident.conf"
)

// writeAccess says who may come in, and how.
func (e *Engine) writeAccess() error {
	var text strings.Builder
	text.WriteString("# Written by the guest agent; changes are lost.\n")
	fmt.Fprintf(&text, "local all %s %s\n", admin, socketMethod())
	text.WriteString("local all all reject\n")
	fmt.Fprintf(&text, "host all %s,+%s all reject\n", admin, replicaGroup)
	fmt.Fprintf(&text, "host replication +%s all scram-sha-256\n", replicaGroup)
	text.WriteString("host all all all scram-sha-256\n")
	if err := durable.WriteFile(e.confPath(accessName), []byte(text.String()), 0o644); err != nil {
		return err
	}
	return durable.WriteFile(e.confPath(mapName), []byte("agent root "+admin+"\n"), 0o644)
}

// socketMethod lets root in alone, where the database has a user of its own. Where the agent is that user, there is
// nobody else to be told apart from: the socket's mode says all.
func socketMethod() string {
	if os.Geteuid() == 0 {
		return "peer map=agent"
	}
	return "trust"
}
