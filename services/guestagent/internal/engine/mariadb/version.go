package mariadb

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// versionCache asks a program for its version once per file: the program is large, and starting it takes time that a
// new database would have to wait for. So does every agent's first question, which is why the maker of a template
// leaves a note of the answer beside it.
type versionCache struct {
	mu    sync.Mutex
	known map[program]string
}

// program is a file that stays the same until a package replaces it.
type program struct {
	Path string `json:"path"`
	// Modified is in nanoseconds since 1970.
	Modified int64 `json:"modified"`
	Size     int64 `json:"size"`
}

// note is what a maker of templates learned.
type note struct {
	Program program `json:"program"`
	Version string  `json:"version"`
}

var versions = &versionCache{known: map[program]string{}}

func (c *versionCache) of(ctx context.Context, p programs, templates string) (string, error) {
	file, err := look(p.Outside(p.server))
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if version := c.known[file]; version != "" {
		return version, nil
	}
	var left note
	if durable.ReadJSON(notePath(templates, file), &left) == nil && left.Program == file && left.Version != "" {
		c.known[file] = left.Version
		return left.Version, nil
	}
	out, err := p.Exec(ctx, proc.Command{Path: p.server, Args: kind.AskVersion}).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", file.Path, err)
	}
	version := kind.Version(out)
	if version == "" {
		return "", errs.New(errs.Unsupported, "ENGINE_UNKNOWN", "The program %s is not a MariaDB server.", file.Path)
	}
	c.known[file] = version
	return version, nil
}

// leaveNote tells later agents what version the program has; without the note they ask it themselves.
func (p programs) leaveNote(templates string) error {
	file, err := look(p.Outside(p.server))
	if err != nil {
		return err
	}
	return durable.WriteJSON(notePath(templates, file), note{Program: file, Version: p.version})
}

// notePath tells the notes of the machine's program and of those in root folders apart.
func notePath(templates string, file program) string {
	return filepath.Join(templates, fmt.Sprintf("%s-%08x.json", Manager, crc32.ChecksumIEEE([]byte(file.Path))))
}

func look(path string) (program, error) {
	info, err := os.Stat(path)
	if err != nil {
		return program{}, err
	}
	return program{Path: path, Modified: info.ModTime().UnixNano(), Size: info.Size()}, nil
}
