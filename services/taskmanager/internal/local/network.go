package local

import "path/filepath"

// Network is the one network of a data folder, with its one subnet. The ids stay the same for the life of the folder.
type Network struct{ ID, SubnetID string }

// ReadNetwork tells the network of a data folder that was opened before; fs.ErrNotExist when it never was.
func ReadNetwork(dataDir string) (Network, error) {
	var drawn identity
	if err := readJSON(filepath.Join(dataDir, "local", "identity.json"), &drawn); err != nil {
		return Network{}, err
	}
	return Network{ID: drawn.NetworkID, SubnetID: drawn.SubnetID}, nil
}
