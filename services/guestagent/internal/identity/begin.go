package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Bootstrap is what a machine is born with, in PEM.
type Bootstrap struct{ CA, Certificate, Key []byte }

// Begin lays the bootstrap identity down before Open, at each boot. One that the machine has enrolled with is spent and
// laid down no more. Another than before means another machine: what an image, or a copy of another's disk, has
// brought along is forgotten.
func Begin(b Bootstrap, bootstrap, agent string) error {
	path := filepath.Join(bootstrap, "sum")
	sum := b.sum()
	begun, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("begin identity: %w", err)
	}
	if string(begun) == sum {
		enrolled, err := durable.Exists(filepath.Join(agent, "cert.pem"))
		if err != nil || enrolled {
			return err
		}
	} else if err := forget(agent); err != nil {
		return fmt.Errorf("forget former identity: %w", err)
	}
	for _, file := range []struct {
		path    string
		content []byte
	}{
		{filepath.Join(bootstrap, "ca.pem"), b.CA},
		{filepath.Join(bootstrap, "cert.pem"), b.Certificate},
		{filepath.Join(bootstrap, "key.pem"), b.Key},
		{path, []byte(sum)}, // last: with it the bootstrap is whole
	} {
		if err := durable.WriteFile(file.path, file.content, 0o600); err != nil {
			return fmt.Errorf("begin identity: %w", err)
		}
	}
	return nil
}

func (b Bootstrap) sum() string {
	sum := sha256.Sum256(b.Certificate)
	return hex.EncodeToString(sum[:])
}

// forget removes the certificate first: without it the guest is not enrolled.
func forget(agent string) error {
	for _, name := range []string{"cert.pem", "key.pem", "ca.pem"} {
		if err := os.Remove(filepath.Join(agent, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return durable.SyncFolder(agent)
}
