package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// place is where programs of database servers are: the host's own, or those of a root folder, which run with that
// folder as their file system.
type place struct {
	// root is the root folder, absolute; empty for the host. A link stays one, so that what it leads to can be changed.
	root string
	// prefix is put before the paths of the host's programs.
	prefix string
	// guestAgent starts programs in a root folder.
	guestAgent string
}

// String says where, for logs and errors.
func (at place) String() string {
	if at.root == "" {
		return "of this host"
	}
	return "in " + at.root
}

// places are the host and the root folders that can be used, the others being told of. To enter a root folder takes root.
func (c Config) places(guestAgent string, log *slog.Logger) []place {
	places := []place{{prefix: c.EnginePrefix}}
	if len(c.EngineRoots) > 0 && os.Geteuid() != 0 {
		log.Warn("not running as root: the database servers in root folders are not offered",
			"engine_roots", strings.Join(c.EngineRoots, ", "))
		return places
	}
	for _, folder := range c.EngineRoots {
		if _, err := os.ReadDir(folder); err != nil {
			log.Warn("a root folder of database servers cannot be used", "engine_root", folder, "error", err)
			continue
		}
		places = append(places, place{root: filepath.Clean(folder), guestAgent: guestAgent})
	}
	return places
}

// glob gives the files that a pattern matches, as this process sees them.
func (at place) glob(pattern string) ([]string, error) {
	return filepath.Glob(filepath.Join("/", at.root, at.prefix, pattern))
}

// output runs a program, a file that glob gave, and answers with what it prints.
func (at place) output(ctx context.Context, program string, args ...string) ([]byte, error) {
	if at.root != "" {
		inside := strings.TrimPrefix(program, at.root)
		program, args = at.guestAgent, append([]string{"enter-root", "--root", at.root, "--", inside}, args...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = agentEnvironment()
	said, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
	}
	return said, err
}

// arguments tell a guest agent where the programs are.
func (at place) arguments() []string {
	switch {
	case at.root != "":
		return []string{"--engine-root", at.root}
	case at.prefix != "":
		return []string{"--engine-prefix", at.prefix}
	}
	return nil
}
