package local

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// closedHome is where servers live when databases' users cannot reach the data folder.
const closedHome = "/var/lib/coffer"

// rangeBits is the size of a data folder's range: 4094 addresses.
const rangeBits = 20

// folder is the data folder: where everything is.
type folder struct {
	root      string
	servers   string
	volumes   string
	templates string
	addresses string
	identity  identity
	locks     locks
}

// identity is what a data folder draws at its first start and keeps.
type identity struct {
	ID        string `json:"id"`
	Range     string `json:"address_range"`
	NetworkID string `json:"network_id"`
	SubnetID  string `json:"subnet_id"`
	// VolumeTypeID is the id of the one volume type.
	VolumeTypeID string `json:"volume_type_id"`
}

// openFolder makes what is missing of a data folder. With separate users the databases' users must be able to reach
// their servers' folders: the data folder becomes passable, and where a folder above it is closed, they are kept
// under closedHome, with links in their usual places.
func openFolder(cfg Config, separateUsers bool) (*folder, error) {
	own := filepath.Join(cfg.DataDir, "local")
	f := &folder{root: cfg.DataDir, addresses: filepath.Join(own, "addresses"), locks: locks{filepath.Join(own, "lock")}}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, err
	}
	if separateUsers {
		if err := passable(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	for _, dir := range []string{own, f.addresses} {
		if err := makeDir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := f.locks.open(); err != nil {
		return nil, err
	}
	if err := f.openIdentity(filepath.Join(own, "identity.json"), cfg.AddressRange); err != nil {
		return nil, err
	}
	home := cfg.DataDir
	if separateUsers {
		closed, err := closedParent(cfg.DataDir)
		if err != nil {
			return nil, err
		}
		if closed != "" {
			home = filepath.Join(closedHome, f.identity.ID)
		}
	}
	for _, place := range []struct {
		path *string
		name string
	}{{&f.servers, "servers"}, {&f.volumes, "volumes"}, {&f.templates, "templates"}} {
		path, err := f.open(home, place.name)
		if err != nil {
			return nil, err
		}
		*place.path = path
	}
	if separateUsers {
		if closed, err := closedParent(f.servers); err != nil || closed != "" {
			return nil, errors.Join(err, fmt.Errorf("databases' users cannot pass %q to their servers; open it (chmod o+x)", closed))
		}
	}
	return f, nil
}

// open makes a folder that databases' users pass through, and answers with where it really is.
func (f *folder) open(home, name string) (string, error) {
	path := filepath.Join(f.root, name)
	if _, err := os.Lstat(path); os.IsNotExist(err) && home != f.root {
		target := filepath.Join(home, name)
		if err := os.MkdirAll(target, 0o750); err != nil {
			return "", err
		}
		if err := passable(closedHome, home, target); err != nil {
			return "", err
		}
		if err := os.Symlink(target, path); err != nil && !os.IsExist(err) {
			return "", err
		}
	} else if os.IsNotExist(err) {
		if err := makeDir(path, 0o711); err != nil {
			return "", err
		}
	}
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return actual, passable(actual)
}

func passable(dirs ...string) error {
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&0o001 == 0 {
			if err := os.Chmod(dir, mode|0o011); err != nil {
				return err
			}
		}
	}
	return nil
}

// closedParent names the nearest folder above that others cannot pass, if there is one.
func closedParent(dir string) (string, error) {
	actual, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	for parent := filepath.Dir(actual); parent != "/"; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return "", err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return parent, nil
		}
	}
	return "", nil
}

// openIdentity reads the folder's identity or draws it. Two providers may do so at once: the first one to link its
// draw into place wins, and both read that.
func (f *folder) openIdentity(path, fixedRange string) error {
	err := readJSON(path, &f.identity)
	if os.IsNotExist(err) {
		err = drawIdentity(path)
		if err == nil {
			err = readJSON(path, &f.identity)
		}
	}
	if err != nil {
		return err
	}
	if fixedRange != "" {
		f.identity.Range = fixedRange
	}
	return checkRange(f.identity.Range)
}

func drawIdentity(path string) error {
	id := identity{
		ID: uuid.NewString(), Range: drawRange().String(),
		NetworkID: uuid.NewString(), SubnetID: uuid.NewString(), VolumeTypeID: uuid.NewString(),
	}
	draft := path + "." + id.ID
	if err := writeJSON(draft, id); err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil && !os.IsExist(err) {
		return removing(draft, err)
	}
	return removeFile(draft)
}

// drawRange picks a /20 at random, so that two data folders of one host do not meet.
func drawRange() netip.Prefix {
	for {
		var b [4]byte
		rand.Read(b[1:]) // never fails
		b[0] = 127
		r := netip.PrefixFrom(netip.AddrFrom4(b), rangeBits).Masked()
		if !hosts.Contains(r.Addr()) {
			return r
		}
	}
}

// addressRange is checked when the identity is read.
func (f *folder) addressRange() netip.Prefix { return netip.MustParsePrefix(f.identity.Range) }

// low24 is what tells two loopback addresses apart.
func low24(a netip.Addr) int {
	b := a.As4()
	return int(binary.BigEndian.Uint32(b[:]) & 0xffffff)
}

var instanceIDs = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)

// checkID keeps out what would be no name of a folder.
func checkID(instanceID string) error {
	if !instanceIDs.MatchString(instanceID) {
		return errs.New(errs.Invalid, "INSTANCE_ID", "%q is not an id of an instance.", instanceID)
	}
	return nil
}
