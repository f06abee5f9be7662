package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

// cgroups holds servers to their memory by control groups (version 2), one per server. Nil holds none.
type cgroups struct{ dir string }

const cgroupRoot = "/sys/fs/cgroup"

// openCgroups makes the group of a data folder's servers; the error says why there can be none.
func openCgroups(root, folderID string) (*cgroups, error) {
	controllers, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("control groups of version 2 are not mounted at " + root)
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains(strings.Fields(string(controllers)), "memory") {
		return nil, errors.New("control groups have no memory controller")
	}
	c := &cgroups{filepath.Join(root, "coffer-"+folderID)}
	if err := c.control(root, "cgroup.subtree_control", "+memory"); err != nil {
		return nil, err
	}
	if err := os.Mkdir(c.dir, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return c, c.control(c.dir, "cgroup.subtree_control", "+memory")
}

func (c *cgroups) group(instanceID string) string { return filepath.Join(c.dir, instanceID) }

// control writes one of the kernel's files, which exist already.
func (c *cgroups) control(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// make makes the server's group, or sets the limit of the one that is there.
func (c *cgroups) make(instanceID string, memoryBytes int64) error {
	if c == nil {
		return nil
	}
	if err := os.Mkdir(c.group(instanceID), 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make control group: %w", err)
	}
	if err := c.control(c.group(instanceID), "memory.max", strconv.FormatInt(memoryBytes, 10)); err != nil {
		return fmt.Errorf("bound memory: %w", err)
	}
	return nil
}

// add puts a process into the group, and with it all that it starts from then on.
func (c *cgroups) add(instanceID string, pid int) error {
	if c == nil {
		return nil
	}
	err := c.control(c.group(instanceID), "cgroup.procs", strconv.Itoa(pid))
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// kill ends all that is in the group, if there is one.
func (c *cgroups) kill(instanceID string) error {
	if c == nil {
		return nil
	}
	err := c.control(c.group(instanceID), "cgroup.kill", "1")
	if errors.Is(err, os.ErrNotExist) { // no group, or a kernel before 5.14: the processes are found one by one
		return nil
	}
	return err
}

// remove takes the empty group away. Its last process may be on its way out still.
func (c *cgroups) remove(ctx context.Context, instanceID string) error {
	if c == nil {
		return nil
	}
	for {
		err := unix.Rmdir(c.group(instanceID))
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("remove control group: %w", err)
		}
		if !pause.For(ctx, time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}
