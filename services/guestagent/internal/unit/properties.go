package unit

import (
	"cmp"
	"strconv"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
)

const (
	// oomScoreAdjust lets the kernel take anything else in the machine first; of the rest the agent comes last.
	oomScoreAdjust = -500
	// fileLimit is more than either engine opens.
	fileLimit = 1 << 16
)

// program is systemd's (sasas): path, arguments with the program's name, and flags.
type program struct {
	Path      string
	Arguments []string
	Flags     []string
}

// properties are those of systemd.service(5), systemd.exec(5) and systemd.kill(5) with the same names.
func (l Launcher) properties(c proc.Command, ending process.Ending) []systemd.Property {
	all := map[string]any{
		"Description": "The database that the guest agent runs",
		// The start is over when the program runs, so that a missing one is told.
		"Type": "exec",
		"ExecStartEx": []program{{
			Path: c.Path, Arguments: append([]string{c.Path}, c.Args...), Flags: []string{"no-env-expand"},
		}},
		"Environment": c.Env, "WorkingDirectory": c.Dir,
		"KillSignal": int32(ending.Signal), //nolint:gosec // a small number
		// Its processes are its own to end; systemd kills those that it leaves.
		"KillMode": "mixed", "TimeoutStopUSec": micro(ending.Limit), "TimeoutStartUSec": micro(callLimit),
		"NoNewPrivileges": true, "LimitNOFILE": uint64(fileLimit),
		// Of a database's processes the kernel may take one, and the others see to it.
		"OOMScoreAdjust": int32(oomScoreAdjust), "OOMPolicy": "continue",
	}
	if c.UID != 0 || c.GID != 0 {
		all["User"], all["Group"] = strconv.FormatUint(uint64(c.UID), 10), strconv.FormatUint(uint64(c.GID), 10)
	}
	output := cmp.Or(c.Log, "/dev/null")
	all["StandardOutputFileToAppend"], all["StandardErrorFileToAppend"] = output, output
	if l.Agent != "" {
		all["Before"] = []string{l.Agent}
	}
	if l.Needs != "" {
		all["RequiresMountsFor"] = []string{l.Needs}
	}
	properties := make([]systemd.Property, 0, len(all))
	for name, value := range all {
		properties = append(properties, systemd.Property{Name: name, Value: dbus.MakeVariant(value)})
	}
	return properties
}

func micro(d time.Duration) uint64 { return uint64(d.Microseconds()) } //nolint:gosec // a limit
