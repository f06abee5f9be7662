package metadata

import "errors"

// Data is what a machine is told. It holds secrets.
type Data struct {
	User []byte
	// Network is network_data.json; empty where nothing is said.
	Network []byte
}

// ErrNone says that there is no such source of metadata.
var ErrNone = errors.New("there is no metadata")

// limit is how large each part may be, bytes.
const limit = 1 << 20

// The files of OpenStack's metadata, the same on a drive and at the service.
const (
	userFile    = "openstack/latest/user_data"
	networkFile = "openstack/latest/network_data.json"
)
