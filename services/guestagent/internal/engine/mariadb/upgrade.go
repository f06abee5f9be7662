package mariadb

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

var _ engine.Upgrader = (*Engine)(nil)

// upgradeProgram converts what a new version keeps of itself in tables: accounts, statistics, the schema sys.
const upgradeProgram = "mariadb-upgrade"

// DataDir is where the tables are.
func (e *Engine) DataDir() string { return e.dataDir() }

// PrepareUpgrade has nothing to leave: a new version takes over the files of one that ended in order. Of an older one
// that is not so.
func (e *Engine) PrepareUpgrade(_ context.Context, to, _ string) error {
	if dbserver.CompareVersions(to, e.Version()) < 0 {
		return errs.New(errs.Invalid, "DOWNGRADE", "MariaDB %s cannot be brought back to %s.", e.Version(), to)
	}
	return nil
}

// ConvertData only makes sure that what comes after the start is there.
func (e *Engine) ConvertData(context.Context, string, string) error {
	if e.programs.Find(upgradeProgram, kind.Folders...) == "" {
		return errs.New(errs.Unsupported, "ENGINE_MISSING",
			"The program %s is not on the server; it comes with the package mariadb-server-core.", upgradeProgram)
	}
	return nil
}

// ConvertRunning runs mariadb-upgrade, which does what is left to do however often it is run. The password is in its
// environment, which only the database's own user can see, since the programs that it starts want it too.
func (e *Engine) ConvertRunning(ctx context.Context) error {
	password, err := e.adminPassword()
	if err != nil {
		return fmt.Errorf("read the administrator's password: %w", err)
	}
	cmd := e.programs.Exec(ctx, proc.Command{
		Path: e.programs.Find(upgradeProgram, kind.Folders...), Dir: e.server.Folder, UID: e.server.RunAsUID, GID: e.server.RunAsGID,
		Args: []string{
			"--no-defaults", "--force", "--silent", "--user=" + admin, "--tmpdir=" + e.tmpDir(),
			"--socket=" + filepath.Join("/proc/self/cwd/run", socketName),
		},
		Env: append(engine.Environment(), "MYSQL_PWD="+password),
	})
	if out, err := cmd.CombinedOutput(); err != nil {
		return errs.New(errs.Internal, "UPGRADE_FAILED", "mariadb-upgrade failed: %s", lastLine(out)).
			Because(fmt.Errorf("mariadb-upgrade: %w: %s", err, bytes.TrimSpace(out)))
	}
	return nil
}

// lastLine is where a program says what went wrong.
func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}
