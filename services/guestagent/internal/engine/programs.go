package engine

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// Programs are where an engine's programs are found and how each of them is started: the machine's own, or those of a
// root folder (a distribution's file system, such as debootstrap makes), which run with that folder as their /. Nobody
// else starts a program of an engine, so that an engine need not know which of the two it has.
type Programs struct {
	// Root is the root folder, absolute; empty for the machine's own programs.
	Root string
	// Prefix is put before the paths of the machine's own programs, for those that are not installed at their usual
	// places. It is empty where there is a root.
	Prefix string
	// Folders are those that the programs work on. In a root they are at the same paths as outside. Absolute, without
	// symbolic links.
	Folders []string
}

// ProgramsOf are the programs of a server's database, which work on the server's folder and its volume.
func ProgramsOf(server settings.Server) Programs {
	return Programs{
		Root: server.EngineRoot, Prefix: server.EnginePrefix, Folders: []string{server.Folder, server.DataDir},
	}
}

// Find gives the path of a program, as a process among the programs sees it, in the first of the folders that has it;
// empty when none has.
func (p Programs) Find(name string, folders ...string) string {
	for _, folder := range folders {
		path := filepath.Join(p.Prefix, folder, name)
		if proc.IsProgram(p.Outside(path)) {
			return path
		}
	}
	return ""
}

// Outside is a program's file as this process sees it.
func (p Programs) Outside(path string) string { return filepath.Join(p.Root, path) }

// Command starts a program of which c says everything as the program sees it. What it starts is the program's process
// from the first: it keeps its id, and its arguments stand on the command line, when the program takes over.
func (p Programs) Command(c proc.Command) proc.Command {
	if p.Root == "" {
		return c
	}
	return proc.Command{
		// The running program, even where an update has replaced its file.
		Path: "/proc/self/exe", Args: enter.Root{
			Folder: p.Root, Binds: p.Folders, Dir: c.Dir, UID: c.UID, GID: c.GID,
		}.Arguments(c.Path, c.Args...),
		Env: c.Env, Log: c.Log,
	}
}

// Exec is Command for a program that runs to its end under its caller's eyes. Log is left out: the caller chooses where
// output goes. Without a c.Env the program gets a plain one of the engines'.
func (p Programs) Exec(ctx context.Context, c proc.Command) *exec.Cmd {
	c = p.Command(c)
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if cmd.Env == nil {
		cmd.Env = Environment()
	}
	if c.UID != 0 || c.GID != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.UID, Gid: c.GID}}
	}
	return cmd
}

// Environment is what an engine's programs get: nothing of the agent's own.
func Environment() []string { return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"} }
