package postgresql

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	// followName is the file that says whom the server follows, or is empty.
	followName = "follow.conf"
	// passName is the file with the password for that; the database's user alone may read it.
	passName = "follow.pass"
	// signalName is PostgreSQL's file in the data directory with which a server starts as a replica, never as anything else.
	signalName = "standby.signal"
)

func (e *Engine) signalPath() string { return filepath.Join(e.dataDir(), signalName) }

// startAsReplica makes every start from now on one that writes nothing of its own. A server that runs does not notice.
func (e *Engine) startAsReplica() error {
	if already, err := durable.Exists(e.signalPath()); err != nil || already {
		return err
	}
	if err := durable.WriteFile(e.signalPath(), nil, 0o600); err != nil {
		return err
	}
	return e.server.Give(e.signalPath())
}

// startAsSource takes that back, and forgets who was followed.
func (e *Engine) startAsSource() error {
	if err := os.Remove(e.signalPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := durable.SyncFolder(e.dataDir()); err != nil {
		return err
	}
	return e.forgetSource()
}

func (e *Engine) forgetSource() error {
	if err := e.changeConf(followName, ""); err != nil {
		return err
	}
	if err := os.Remove(e.confPath(passName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// pointTo writes whom the server follows; it counts from the next start or reload.
func (e *Engine) pointTo(source engine.Source) error {
	if err := e.writePassword(source); err != nil {
		return err
	}
	text := setting("primary_conninfo", e.way(source)) + setting("primary_slot_name", engine.ReplicaAccount(e.server.InstanceID))
	return e.changeConf(followName, text)
}

// writePassword writes libpq's passfile, in which a colon and a backslash are escaped.
func (e *Engine) writePassword(source engine.Source) error {
	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace
	line := fmt.Sprintf("*:*:*:%s:%s\n", escape(source.User), escape(source.Password))
	if err := durable.WriteFile(e.confPath(passName), []byte(line), 0o600); err != nil {
		return err
	}
	return e.server.Give(e.confPath(passName))
}

// way is how to reach a source, without the password.
func (e *Engine) way(source engine.Source) string {
	var way []string
	for _, part := range [][2]string{
		{"host", source.Address},
		{"port", strconv.Itoa(source.Port)},
		{"user", source.User},
		{"passfile", e.confPath(passName)},
		{"application_name", e.server.InstanceID},
		{"sslmode", "disable"},
		{"connect_timeout", "5"},
	} {
		value := strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(part[1])
		way = append(way, part[0]+"='"+value+"'")
	}
	return strings.Join(way, " ")
}
