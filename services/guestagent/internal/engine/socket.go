package engine

import (
	"fmt"
	"path/filepath"
)

// longestSocket is what sun_path holds, less its final zero.
const longestSocket = 107

// SocketFolder is the way from the data directory, which is a server's working directory, to the folder of its socket of
// that name: an absolute path may be too long for a socket's.
func SocketFolder(dataDir, runDir, name string) (string, error) {
	data, err := filepath.EvalSymlinks(dataDir)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	run, err := filepath.EvalSymlinks(runDir)
	if err != nil {
		return "", fmt.Errorf("find the socket's folder: %w", err)
	}
	folder, err := filepath.Rel(data, run)
	if err != nil {
		return "", fmt.Errorf("find the way to the socket: %w", err)
	}
	if socket := filepath.Join(folder, name); len(socket) > longestSocket {
		return "", fmt.Errorf("the way from the data directory to the socket is longer than %d bytes: %s", longestSocket, socket)
	}
	return folder, nil
}
