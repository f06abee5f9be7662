package mariadb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Manager is Trove's name of the engine.
const Manager = "mariadb"

// searched are the folders of programs, as distributions and MariaDB's own packages lay them.
var searched = []string{"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin"}

// programs are the server's files.
type programs struct {
	root    string
	server  string
	install string
	version string
}

// findPrograms looks below an engine root, empty for the machine's own. Unsupported: they are not there.
func findPrograms(ctx context.Context, root string) (programs, error) {
	p := programs{root: root}
	for name, path := range map[string]*string{"mariadbd": &p.server, "mariadb-install-db": &p.install} {
		found := find(root, name)
		if found == "" {
			return p, errs.New(errs.Unsupported, "ENGINE_MISSING",
				"The program %s is not on the server; it comes with the package mariadb-server-core.", name)
		}
		*path = found
	}
	var err error
	p.version, err = versions.of(ctx, p.server)
	return p, err
}

// Warm learns what Open needs to know of the programs, so that the first Open does not take the time for it.
func Warm(ctx context.Context, root string) error {
	_, err := findPrograms(ctx, root)
	return err
}

func find(root, name string) string {
	for _, folder := range searched {
		path := filepath.Join(root, folder, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// versionCache asks a program for its version once per file: the program is large, and starting it takes time that a
// restart would have to wait for.
type versionCache struct {
	mu    sync.Mutex
	known map[fileState]string
}

type fileState struct {
	path     string
	modified time.Time
	size     int64
}

var (
	versions    = &versionCache{known: map[fileState]string{}}
	versionText = regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`)
)

func (c *versionCache) of(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	state := fileState{path: path, modified: info.ModTime(), size: info.Size()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if version := c.known[state]; version != "" {
		return version, nil
	}
	out, err := exec.CommandContext(ctx, path, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	match := versionText.FindSubmatch(out)
	if match == nil {
		return "", errs.New(errs.Unsupported, "ENGINE_UNKNOWN", "The program %s is not a MariaDB server.", path)
	}
	c.known[state] = string(match[1])
	return c.known[state], nil
}
