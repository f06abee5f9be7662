package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
)

var errNoEngine = errors.New("the program is not there")

func noDatastore(manager string) error {
	return errs.New(errs.Invalid, "DATASTORE", "The local provider has no datastore %q.", manager)
}

// installed says which exact versions a place has, the newest of each series, and the newest series first.
func (at place) installed(ctx context.Context, kind dbserver.Kind) ([]string, error) {
	programs, err := at.find(kind)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, program := range programs {
		out, err := at.output(ctx, program, kind.AskVersion...)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its version: %w", program, err)
		}
		version := kind.Version(out)
		if version == "" {
			return nil, fmt.Errorf("%s is no %s: %w", program, kind.Manager, errNoEngine)
		}
		versions = append(versions, version)
	}
	slices.SortFunc(versions, func(a, b string) int { return dbserver.CompareVersions(b, a) })
	return slices.CompactFunc(versions, func(a, b string) bool { return dbserver.Series(a) == dbserver.Series(b) }), nil
}

func (at place) find(kind dbserver.Kind) ([]string, error) {
	if at == (place{}) && !kind.SideBySide {
		if path, err := exec.LookPath(kind.Program); err == nil {
			path, err = filepath.Abs(path)
			return []string{path}, err
		}
	}
	var found []string
	for _, folder := range kind.Folders {
		paths, err := at.glob(filepath.Join(folder, kind.Program))
		if err != nil {
			return nil, fmt.Errorf("look for %s in %s: %w", kind.Program, folder, err)
		}
		found = append(found, slices.DeleteFunc(paths, func(path string) bool { return !proc.IsProgram(path) })...)
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%s: %w", kind.Program, errNoEngine)
	case !kind.SideBySide:
		found = found[:1]
	}
	return found, nil
}
