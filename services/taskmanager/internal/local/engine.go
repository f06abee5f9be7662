package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// engine is a kind of database server that guest agents know to run.
type engine struct {
	manager string
	program string
	// version finds the exact number in what `program --version` prints; another product's program of the same name
	// does not match.
	version *regexp.Regexp
}

// engines are the ones looked for on the host; the first that is found is the default datastore.
var engines = []engine{
	{"mariadb", "mariadbd", regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`)},
}

// engineFolders are where packages and builds put servers that are not on everybody's PATH.
var engineFolders = []string{"usr/sbin", "usr/local/sbin", "usr/bin", "usr/local/bin", "usr/libexec", "usr/local/mysql/bin"}

var errNoEngine = errors.New("the program is not there")

// installed says which exact version the host has.
func (e engine) installed(ctx context.Context, root string) (string, error) {
	program, err := e.find(root)
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, program, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", program, err)
	}
	match := e.version.FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("%s is no %s: %w", program, e.manager, errNoEngine)
	}
	return string(match[1]), nil
}

func (e engine) find(root string) (string, error) {
	if root == "" {
		if path, err := exec.LookPath(e.program); err == nil {
			return filepath.Abs(path)
		}
		root = "/"
	}
	for _, dir := range engineFolders {
		path := filepath.Join(root, dir, e.program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", e.program, errNoEngine)
}

// series is the part of a version that stays the same over updates of a package: 10.11 of 10.11.14.
func series(version string) string {
	return version[:strings.LastIndexByte(version, '.')]
}

// findDatastores lists what the host can run. An engine that is there but broken is an error of its own, told and left
// out, so that it does not take the others with it.
func findDatastores(ctx context.Context, root string) ([]*journalv1.CatalogDatastoreVersion, error) {
	var found []*journalv1.CatalogDatastoreVersion
	var faults []error
	for _, e := range engines {
		version, err := e.installed(ctx, root)
		switch {
		case errors.Is(err, errNoEngine):
		case err != nil:
			faults = append(faults, err)
		default:
			found = append(found, &journalv1.CatalogDatastoreVersion{
				Manager: e.manager, Name: series(version), Version: version,
			})
		}
	}
	return found, errors.Join(faults...)
}
