package mariadb

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the hash of mysql_native_password, over 130 random bits
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// admin is the agent's account. Its name is Trove's and reserved.
const admin = "os_admin"

// Install clones the data directory from the version's template and arranges that the first start makes the
// administrator's account.
func (e *Engine) Install(ctx context.Context) error {
	source, err := e.programs.template(ctx, e.server.TemplatesDir)
	if err != nil {
		return err
	}
	if err := template.Clone(ctx, source, e.dataDir(), e.server.Give); err != nil {
		return err
	}
	if err := os.MkdirAll(e.tmpDir(), 0o700); err != nil {
		return fmt.Errorf("make the folder of temporary files: %w", err)
	}
	if err := e.server.Give(e.tmpDir()); err != nil {
		return fmt.Errorf("make the folder of temporary files: %w", err)
	}
	return e.installAdmin()
}

// Settle puts the data directory on the disk and ends the special treatment of the first start.
func (e *Engine) Settle(context.Context) error {
	if err := template.Settle(e.dataDir()); err != nil {
		return err
	}
	if err := os.Remove(e.firstStartPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// installAdmin makes the password once; it is kept before the database knows it, so that it is never lost.
func (e *Engine) installAdmin() error {
	if _, err := os.Stat(e.passwordPath()); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	password := rand.Text()
	if err := e.writeFirstStart(password); err != nil {
		return err
	}
	return durable.WriteFile(e.passwordPath(), []byte(password), 0o600)
}

// reinstallAdmin gives the administrator to data that know another one.
func (e *Engine) reinstallAdmin() error {
	password, err := e.adminPassword()
	if errors.Is(err, fs.ErrNotExist) {
		return e.installAdmin()
	}
	if err != nil {
		return err
	}
	return e.writeFirstStart(password)
}

// writeFirstStart arranges what the next start does first. None of it goes to the binlog: each server of a set has its
// own administrator. A copy has brought the accounts of its source's replicas along.
func (e *Engine) writeFirstStart(password string) error {
	sql := fmt.Sprintf("SET sql_log_bin = 0;\n"+
		"DELETE FROM mysql.global_priv WHERE User LIKE 'coffer\\_repl\\_%%';\nFLUSH PRIVILEGES;\n"+
		"CREATE OR REPLACE USER %[1]s@localhost IDENTIFIED BY PASSWORD '%[2]s';\n"+
		"GRANT ALL PRIVILEGES ON *.* TO %[1]s@localhost WITH GRANT OPTION;\n", admin, nativeHash(password))
	if err := durable.WriteFile(e.firstStartPath(), []byte(sql), 0o400); err != nil {
		return err
	}
	return e.server.Give(e.firstStartPath())
}

func (e *Engine) adminPassword() (string, error) {
	text, err := os.ReadFile(e.passwordPath())
	return string(text), err
}

// nativeHash is what mysql_native_password keeps of a password. With it the password itself crosses no statement, so
// no log or error of the database can hold it.
func nativeHash(password string) string {
	once := sha1.Sum([]byte(password)) //nolint:gosec // see the import
	twice := sha1.Sum(once[:])         //nolint:gosec // see the import
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}
