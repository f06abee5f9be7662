package mariadb

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// Manager is Trove's name of the engine.
const Manager = "mariadb"

var (
	kind     = dbserver.MariaDB
	versions = engine.NewVersions(kind)
)

// programs are the server's files.
type programs struct {
	engine.Programs

	server  string
	install string
	// backup and unpack come with a package of their own; empty where it is missing.
	backup, unpack string
	version        string
}

// findPrograms looks for the server's among the given ones. Unsupported: they are not there. The folder of the templates
// may hold a note of their version.
func findPrograms(ctx context.Context, among engine.Programs, templates string) (programs, error) {
	p := programs{Programs: among}
	for name, path := range map[string]*string{kind.Program: &p.server, "mariadb-install-db": &p.install} {
		found := p.Find(name, kind.Folders...)
		if found == "" {
			return p, errs.New(errs.Unsupported, "ENGINE_MISSING",
				"The program %s is not on the server; it comes with the package mariadb-server-core.", name)
		}
		*path = found
	}
	p.backup, p.unpack = p.Find("mariadb-backup", kind.Folders...), p.Find("mbstream", kind.Folders...)
	var err error
	p.version, err = versions.Of(ctx, p.Programs, p.server, templates)
	if err == nil && p.version == "" {
		err = errs.New(errs.Unsupported, "ENGINE_UNKNOWN", "The program %s is not a MariaDB server.", p.Outside(p.server))
	}
	return p, err
}

// copying refuses where the programs of copies are missing.
func (p programs) copying() error {
	if p.backup == "" || p.unpack == "" {
		return errs.New(errs.Unsupported, "ENGINE_MISSING",
			"The programs mariadb-backup and mbstream are not on the server; they come with the package mariadb-backup.")
	}
	return nil
}

// Warm learns what Open needs to know of the programs, so that the first Open does not take the time for it.
func Warm(ctx context.Context, programs engine.Programs, templates string) error {
	_, err := findPrograms(ctx, programs, templates)
	return err
}
