package postgresql

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// Manager is Trove's name of the engine.
const Manager = "postgresql"

var (
	kind     = dbserver.PostgreSQL
	versions = engine.NewVersions(kind)
)

// programs are those of one version.
type programs struct {
	engine.Programs

	// folder has them all, as the programs see it.
	folder string
	// version is exact: 15.18.
	version string
}

// findPrograms finds a version among the given programs: an exact one, or the one of its series, or, where none is
// wanted, the newest. Unsupported: there is none at all. Invalid: not the wanted one. The folder of the templates may hold
// notes of the versions.
func findPrograms(ctx context.Context, among engine.Programs, version, templates string) (programs, error) {
	found, err := findAll(ctx, among, version, templates)
	if err != nil {
		return programs{}, err
	}
	if len(found) == 0 {
		return programs{}, errs.New(errs.Unsupported, "ENGINE_MISSING",
			"The program postgres is not on the server; it comes with the package postgresql.")
	}
	for _, fits := range []func(programs) bool{
		func(p programs) bool { return version == "" || p.version == version },
		func(p programs) bool { return series(p.version) == series(version) },
	} {
		if i := slices.IndexFunc(found, fits); i >= 0 {
			return found[i], nil
		}
	}
	return programs{}, otherVersion(version, found[0].version)
}

// findAll are all versions that are there, the newest first, or none but the wanted one.
func findAll(ctx context.Context, among engine.Programs, wanted, templates string) ([]programs, error) {
	var found []programs
	seen := map[string]bool{}
	for _, pattern := range kind.Folders {
		folders, err := filepath.Glob(among.Outside(filepath.Join(among.Prefix, pattern)))
		if err != nil {
			return nil, fmt.Errorf("look for PostgreSQL in %s: %w", pattern, err)
		}
		for _, folder := range folders {
			p := programs{Programs: among, folder: strings.TrimPrefix(folder, filepath.Clean(among.Root))}
			if !p.complete() {
				continue
			}
			if p.version, err = versions.Of(ctx, among, p.program(kind.Program), templates); err != nil {
				return nil, err
			}
			if wanted != "" && p.version == wanted {
				return []programs{p}, nil
			}
			if p.version != "" && !seen[p.version] {
				seen[p.version] = true
				found = append(found, p)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b programs) int { return dbserver.CompareVersions(b.version, a.version) })
	return found, nil
}

// complete says whether the folder has a server and what makes its data directories.
func (p programs) complete() bool {
	for _, name := range []string{kind.Program, "initdb"} {
		if !proc.IsProgram(p.Outside(p.program(name))) {
			return false
		}
	}
	return true
}

func (p programs) program(name string) string { return filepath.Join(p.folder, name) }

// series is the major version, within which data directories stay the same: 15 of 15.18.
func series(version string) string {
	major, _, _ := strings.Cut(version, ".")
	return major
}

func otherVersion(wanted, found string) error {
	return errs.New(errs.Invalid, "VERSION_MISSING", "The server has PostgreSQL %s, not %s.", found, wanted)
}
