package engine

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Versions asks a kind's programs for their version, once per file: such a program is large, and starting it takes time
// that a new database would have to wait for. So does every agent's first question, which is why the maker of a template
// leaves a note of the answer beside it.
type Versions struct {
	kind dbserver.Kind

	mu    sync.Mutex
	known map[program]string
}

// NewVersions knows none yet.
func NewVersions(kind dbserver.Kind) *Versions {
	return &Versions{kind: kind, known: map[program]string{}}
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

// Of is the exact version of the program at the path, as the programs see it; empty where it is not a released one of the
// kind's own. The folder of the templates may hold a note of it.
func (v *Versions) Of(ctx context.Context, among Programs, path, templates string) (string, error) {
	file, err := look(among.Outside(path))
	if err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if version := v.known[file]; version != "" {
		return version, nil
	}
	var left note
	if durable.ReadJSON(v.notePath(templates, file), &left) == nil && left.Program == file && left.Version != "" {
		v.known[file] = left.Version
		return left.Version, nil
	}
	said, err := among.Exec(ctx, proc.Command{Path: path, Args: v.kind.AskVersion}).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", file.Path, err)
	}
	version := v.kind.Version(said)
	v.known[file] = version
	return version, nil
}

// Note tells later agents what version the program has; without the note they ask it themselves.
func (v *Versions) Note(among Programs, path, version, templates string) error {
	file, err := look(among.Outside(path))
	if err != nil {
		return err
	}
	return durable.WriteJSON(v.notePath(templates, file), note{Program: file, Version: version})
}

// notePath tells the notes of the machine's program and of those in root folders apart.
func (v *Versions) notePath(templates string, file program) string {
	return filepath.Join(templates, fmt.Sprintf("%s-%08x.json", v.kind.Manager, crc32.ChecksumIEEE([]byte(file.Path))))
}

func look(path string) (program, error) {
	info, err := os.Stat(path)
	if err != nil {
		return program{}, err
	}
	return program{Path: path, Modified: info.ModTime().UnixNano(), Size: info.Size()}, nil
}
