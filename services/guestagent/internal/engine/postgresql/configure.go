package postgresql

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/dbconfig"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// port is where the database listens, on the server's own address.
const port = 5432

const configName = "postgresql.conf"

// included are the files that come after the defaults and so count more. Each is written by what it is named after, and
// empty before.
var included = []string{holdName, followName}

// Configure writes the configuration for a flavor's memory. It counts from the next start.
func (e *Engine) Configure(memoryMiB int) error {
	values := dbconfig.Defaults(Manager, e.Version(), memoryMiB)
	maps.Copy(values, map[string]string{
		"data_directory":   e.dataDir(),
		"hba_file":         e.confPath(accessName),
		"ident_file":       e.confPath(mapName),
		"listen_addresses": e.server.Address,
		"port":             strconv.Itoa(port),
		"cluster_name":     e.title(),
		// Nobody but the agent, as root or as this user, comes in by the socket.
		"unix_socket_permissions": "0700",
		"log_line_prefix":         "%m [%p] %q%u@%d ",
	})
	bound, err := e.boundByVolume()
	if err != nil {
		return err
	}
	maps.Copy(values, bound)
	var text strings.Builder
	text.WriteString("# Written by the guest agent; changes are lost.\n")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text.WriteString(setting(name, values[name]))
	}
	for _, name := range included {
		fmt.Fprintf(&text, "include %s\n", quoted(name))
		if err := e.makeEmpty(name); err != nil {
			return err
		}
	}
	if err := durable.WriteFile(e.confPath(configName), []byte(text.String()), 0o644); err != nil {
		return err
	}
	return e.writeAccess()
}

// makeEmpty makes a file of settings that is not there.
func (e *Engine) makeEmpty(name string) error {
	if there, err := durable.Exists(e.confPath(name)); err != nil || there {
		return err
	}
	return durable.WriteFile(e.confPath(name), nil, 0o644)
}

// boundByVolume keeps the log, and what replicas that are away hold back of it, from filling the volume.
func (e *Engine) boundByVolume() (map[string]string, error) {
	size := e.server.VolumeLimitBytes
	if size == 0 {
		var s unix.Statfs_t
		if err := unix.Statfs(e.server.DataDir, &s); err != nil {
			return nil, fmt.Errorf("measure the volume: %w", err)
		}
		size = s.Blocks * uint64(s.Bsize) //nolint:gosec // a size
	}
	return map[string]string{
		"max_wal_size":           inMiB(min(max(size/8, 64<<20), 1<<30)),
		"min_wal_size":           inMiB(min(max(size/16, 32<<20), 80<<20)),
		"max_slot_wal_keep_size": inMiB(max(size/4, 64<<20)),
		// For replicas that come over from another source, whose slots begin here and now.
		"wal_keep_size": inMiB(min(max(size/16, 32<<20), 1<<30)),
	}, nil
}

func inMiB(bytes uint64) string { return fmt.Sprintf("%dMB", bytes>>20) }

// longestTitle is what cluster_name holds.
const longestTitle = 63

// title stands on the command line of each of the server's processes: as much of the folder's path as there is room
// for, and at least the instance's id.
func (e *Engine) title() string {
	title := e.server.Folder
	for len(title) > longestTitle {
		_, rest, more := strings.Cut(title[1:], "/")
		if !more {
			return title[:longestTitle]
		}
		title = "/" + rest
	}
	return title
}

// setting is a line of a configuration file.
func setting(name, value string) string { return name + " = " + quoted(value) + "\n" }

// quoted is a value as configuration files spell it.
func quoted(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(value) + "'"
}

// changeConf replaces a file of the configuration if it says something else.
func (e *Engine) changeConf(name, text string) error {
	if now, err := os.ReadFile(e.confPath(name)); err == nil && string(now) == text {
		return nil
	}
	return durable.WriteFile(e.confPath(name), []byte(text), 0o644)
}
