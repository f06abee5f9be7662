package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// keySize is the master key's length in bytes.
const keySize = 32

// OpenFile reads the master key from a file, and makes it when there is none. A file that others than its owner may
// read is refused.
func OpenFile(path string) (*Keeper, error) {
	master, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		master, err = createKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open master key: %w", err)
	}
	return New(master)
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: make it 0600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != keySize {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64", path, keySize)
	}
	return master, nil
}

// createKey makes the key under another name and links it, so that a crash leaves no half key, and of two programs
// that start at once the second takes the first one's.
func createKey(path string) ([]byte, error) {
	master := make([]byte, keySize)
	rand.Read(master)
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := writeKey(temporary, base64.StdEncoding.EncodeToString(master)+"\n"); err != nil {
		return nil, errors.Join(err, os.Remove(temporary))
	}
	err := os.Link(temporary, path)
	if removed := os.Remove(temporary); removed != nil {
		return nil, errors.Join(err, removed)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey(path)
}

func writeKey(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
