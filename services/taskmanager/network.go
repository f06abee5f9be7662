package taskmanager

import "github.com/coffer-dbaas/coffer/services/taskmanager/internal/local"

// Network is the one network of a local provider's data folder.
type Network = local.Network

// ReadNetwork tells the network of a data folder that was opened before; fs.ErrNotExist when it never was.
func ReadNetwork(dataDir string) (Network, error) { return local.ReadNetwork(dataDir) }
