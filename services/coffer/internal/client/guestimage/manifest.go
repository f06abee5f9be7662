package guestimage

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// manifest is what is known of an image; deploy/image writes it beside the image's file.
type manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Engines are exact versions by Trove's names of the engines.
	Engines map[string]string `json:"engines"`
	// DiskMiB is how large the disk is that the image unfolds to.
	DiskMiB int    `json:"disk_mib"`
	SHA512  string `json:"sha512"`
}

// manifestPath is beside the image, with another ending.
func manifestPath(image string) string { return strings.TrimSuffix(image, ".qcow2") + ".json" }

// readManifest reads what belongs to an image's file, and holds the file against it.
func readManifest(image string) (manifest, error) {
	var m manifest
	path := manifestPath(image)
	text, err := os.ReadFile(path)
	if err != nil {
		return m, fmt.Errorf("read the image's manifest: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read the image's manifest %s: %w", path, err)
	}
	if err := m.validate(); err != nil {
		return m, fmt.Errorf("the image's manifest %s: %w", path, err)
	}
	sum, err := sumOf(image)
	if err != nil {
		return m, fmt.Errorf("read the image: %w", err)
	}
	if sum != m.SHA512 {
		return m, fmt.Errorf("%s is not the file that %s tells of: its SHA-512 is another", image, path)
	}
	return m, nil
}

func (m manifest) validate() error {
	var faults []error
	for key, value := range map[string]string{"name": m.Name, "version": m.Version, "sha512": m.SHA512} {
		if value == "" {
			faults = append(faults, fmt.Errorf("%s is missing", key))
		}
	}
	if len(m.Engines) == 0 {
		faults = append(faults, errors.New("no engine is named"))
	}
	for engine, version := range m.Engines {
		if version == "" {
			faults = append(faults, fmt.Errorf("the version of %s is missing", engine))
		}
	}
	if m.DiskMiB <= 0 {
		faults = append(faults, errors.New("disk_mib is missing"))
	}
	return errors.Join(faults...)
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
