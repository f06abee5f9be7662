package builtin

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

const usersFileHead = `# Users and projects of the built-in identity service. It is read at start.
# password_hash is bcrypt, as printed by: htpasswd -nBC 11 NAME (the part behind the colon).
`

// Bootstrap makes the users file of a new control plane: demo (member of the project demo), reader (reader of demo)
// and admin (admin of the projects admin and demo), each with a random password. It answers with the passwords by user
// name: nothing else knows them. A file that is there already stays as it is, and the error is fs.ErrExist.
//
// keep is called with the passwords before the file is put in its place: after a crash in between, the next start
// makes new ones and keeps those, so that a file without known passwords cannot come to be.
func Bootstrap(path string, keep func(passwords map[string]string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("users file %s: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("users file: %w", err)
	}
	file := usersFile{
		Projects: []projectEntry{{ID: newID(), Name: "admin"}, {ID: newID(), Name: "demo"}},
		Assignments: []assignmentEntry{
			{User: "admin", Project: "admin", Roles: []string{roleAdmin}},
			{User: "admin", Project: "demo", Roles: []string{roleAdmin}},
			{User: "demo", Project: "demo", Roles: []string{roleMember}},
			{User: "reader", Project: "demo", Roles: []string{roleReader}},
		},
	}
	passwords := map[string]string{}
	for _, name := range []string{"admin", "demo", "reader"} {
		passwords[name] = newPassword()
		hash, err := HashPassword(passwords[name])
		if err != nil {
			return fmt.Errorf("password of %s: %w", name, err)
		}
		file.Users = append(file.Users, userEntry{ID: newID(), Name: name, PasswordHash: hash})
	}
	if err := keep(passwords); err != nil {
		return err
	}
	return file.write(path)
}

// write puts the file in its place whole or not at all.
func (f usersFile) write(path string) error {
	var content bytes.Buffer
	content.WriteString(usersFileHead)
	encoder := yaml.NewEncoder(&content)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(f), encoder.Close()); err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	beside := path + ".new"
	if err := writeSynced(beside, content.Bytes()); err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// newID is an id of Keystone's shape.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // cannot fail: crypto/rand ends the program instead
	return hex.EncodeToString(id[:])
}

// newPassword has 128 random bits, in letters and digits that no shell minds.
func newPassword() string { return newID() }
