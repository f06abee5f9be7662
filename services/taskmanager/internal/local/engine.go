package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// engine is a kind of database server that guest agents know to run.
type engine struct {
	manager string
	program string
	// asked are the arguments with which the program prints its version.
	asked []string
	// version finds the exact number in that; another product's program of the same name does not match.
	version *regexp.Regexp
	// folders are patterns of where packages and builds put the program.
	folders []string
	// sideBySide says that each version has folders of its own, which are not on PATH. Of the others a host has one: the
	// program on PATH, or else the first that is found.
	sideBySide bool
}

// engines are the ones looked for on the host; the first that is found is the default datastore.
var engines = []engine{
	{
		manager: "mariadb", program: "mariadbd", asked: []string{"--no-defaults", "--version"},
		version: regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`),
		folders: []string{"usr/sbin", "usr/local/sbin", "usr/bin", "usr/local/bin", "usr/libexec", "usr/local/mysql/bin"},
	},
	{
		manager: "postgresql", program: "postgres", asked: []string{"--version"},
		version:    regexp.MustCompile(`\(PostgreSQL\) (\d+\.\d+)\b`),
		folders:    []string{"usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/pgsql/bin", "usr/local/bin", "usr/bin"},
		sideBySide: true,
	},
}

var errNoEngine = errors.New("the program is not there")

// installed says which exact versions a place has, the newest of each series, and the newest series first.
func (e engine) installed(ctx context.Context, at place) ([]string, error) {
	programs, err := e.find(at)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, program := range programs {
		out, err := at.output(ctx, program, e.asked...)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its version: %w", program, err)
		}
		match := e.version.FindSubmatch(out)
		if match == nil {
			return nil, fmt.Errorf("%s is no %s: %w", program, e.manager, errNoEngine)
		}
		versions = append(versions, string(match[1]))
	}
	slices.SortFunc(versions, func(a, b string) int { return compareVersions(b, a) })
	return slices.CompactFunc(versions, func(a, b string) bool { return series(a) == series(b) }), nil
}

func (e engine) find(at place) ([]string, error) {
	if at == (place{}) && !e.sideBySide {
		if path, err := exec.LookPath(e.program); err == nil {
			path, err = filepath.Abs(path)
			return []string{path}, err
		}
	}
	var found []string
	for _, folder := range e.folders {
		paths, err := at.glob(filepath.Join(folder, e.program))
		if err != nil {
			return nil, fmt.Errorf("look for %s in %s: %w", e.program, folder, err)
		}
		found = append(found, slices.DeleteFunc(paths, func(path string) bool {
			info, err := os.Stat(path)
			return err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0
		})...)
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%s: %w", e.program, errNoEngine)
	case !e.sideBySide:
		found = found[:1]
	}
	return found, nil
}

// series is the part of a version that stays the same over updates of a package: 10.11 of 10.11.14.
func series(version string) string {
	return version[:strings.LastIndexByte(version, '.')]
}

func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		// The patterns have found digits.
		n, _ := strconv.Atoi(x)
		m, _ := strconv.Atoi(y)
		return cmp.Compare(n, m)
	})
}
