package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces a file by way of a temporary one beside it and returns once the new content is on the disk.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	file, err := replace(path, data, mode)
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	return err
}

// replace leaves the new file open; nil when the old one is still there.
func replace(path string, data []byte, mode os.FileMode) (*os.File, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name()) // gone after the rename
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(mode), file.Sync()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, errors.Join(err, file.Close()))
	}
	return file, SyncFolder(filepath.Dir(path))
}

// WriteJSON is WriteFile with mode 0600 and JSON.
func WriteJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteFile(path, data, 0o600)
}

// ReadJSON reads what WriteJSON wrote. The error is fs.ErrNotExist when there is no such file.
func ReadJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// SyncFolder makes a folder's entries durable.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Exists says whether there is anything at a path, be it a link that leads nowhere.
func Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
