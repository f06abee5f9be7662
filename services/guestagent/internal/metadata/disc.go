package metadata

import (
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/kdomanski/iso9660"
)

// readDisc reads a drive of the usual kind without mounting it: no kernel need know the file system.
func readDisc(device string) (Data, error) {
	file, err := os.Open(device)
	if err != nil {
		return Data{}, err
	}
	defer file.Close()
	image, err := iso9660.OpenImage(file)
	if err != nil {
		return Data{}, err
	}
	root, err := image.RootDir()
	if err != nil {
		return Data{}, err
	}
	return gather(func(path string) ([]byte, error) { return readDiscFile(root, path) })
}

func readDiscFile(at *iso9660.File, path string) ([]byte, error) {
	for name := range strings.SplitSeq(path, "/") {
		children, err := at.GetChildren()
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		i := slices.IndexFunc(children, func(f *iso9660.File) bool { return f.Name() == name })
		if i < 0 {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		at = children[i]
	}
	return readAll(at.Reader())
}
