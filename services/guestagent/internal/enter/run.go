package enter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Run makes this process the program that the arguments, without the verb, name. It returns on failure alone. The error
// is marked like one of a database's own log, which is where it goes.
func Run(args []string) error {
	r, command, err := parse(args)
	if err == nil {
		err = r.enter()
	}
	if err == nil {
		err = os.NewSyscallError("execute "+command[0], syscall.Exec(command[0], command, os.Environ()))
	}
	return fmt.Errorf("[ERROR] enter the root folder %s: %w", r.Folder, err)
}

// enter does all but the last step. Namespace and rights are this thread's, which executes the program.
func (r Root) enter() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	// Nothing mounted from here on is seen outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	outside, err := hold(append([]string{"/dev"}, r.Binds...)...)
	if err != nil {
		return err
	}
	defer release(outside)
	if err := r.layer(); err != nil {
		return err
	}
	if err := r.changeRoot(); err != nil {
		return err
	}
	if err := r.furnish(outside[0], outside[1:]); err != nil {
		return err
	}
	if err := closeDoor(); err != nil {
		return err
	}
	if err := os.Chdir(r.Dir); err != nil {
		return err
	}
	return r.becomeUser()
}

// layer puts a thin layer of memory over the root folder, in which mount points can be made. It is mounted over the
// folder's own path, which nobody needs any more.
func (r Root) layer() error {
	lower, err := hold(r.Folder)
	if err != nil {
		return err
	}
	defer release(lower)
	if err := mount("tmpfs", r.Folder, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=1m"); err != nil {
		return err
	}
	memory, err := hold(r.Folder)
	if err != nil {
		return err
	}
	defer release(memory)
	upper, work := inHand(memory[0])+"/upper", inHand(memory[0])+"/work"
	if err := errors.Join(makeFolder(upper), makeFolder(work)); err != nil {
		return err
	}
	return mount("overlay", r.Folder, "overlay", unix.MS_NOSUID|unix.MS_NODEV,
		fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", inHand(lower[0]), upper, work))
}

// changeRoot makes the layered folder /. The old one comes to lie over it, where "." finds it and no other path does.
func (r Root) changeRoot() error {
	if err := os.Chdir(r.Folder); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	return nil
}

// furnish mounts what a program needs besides the files of the root folder. Its paths are the new root's, so that no
// symbolic link there leads out.
func (r Root) furnish(devices *os.File, binds []*os.File) error {
	const harmless = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, m := range []struct{ path, kind, options string }{
		{"/proc", "proc", "hidepid=2"},
		{"/tmp", "tmpfs", "mode=1777,size=16m"},
		{"/dev", "tmpfs", "mode=0755,size=64k"},
		{"/dev/shm", "tmpfs", "mode=1777"},
	} {
		if err := errors.Join(makeFolder(m.path), mount(m.kind, m.path, m.kind, harmless, m.options)); err != nil {
			return err
		}
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		path := "/dev/" + name
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
		if err := mount(inHand(devices)+"/"+name, path, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	for i, path := range r.Binds {
		if err := errors.Join(makeFolder(path), mount(inHand(binds[i]), path, "", unix.MS_BIND, "")); err != nil {
			return err
		}
	}
	return os.Symlink("/proc/self/fd", "/dev/fd")
}

// closeDoor lets go of the old root and of every mount of the machine, so that none is held by the program.
func closeDoor() error {
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the machine's file system: %w", err)
	}
	return mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "")
}

func (r Root) becomeUser() error {
	if r.UID == 0 && r.GID == 0 {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("leave all groups: %w", err)
	}
	if err := syscall.Setresgid(int(r.GID), int(r.GID), int(r.GID)); err != nil {
		return fmt.Errorf("take group %d: %w", r.GID, err)
	}
	if err := syscall.Setresuid(int(r.UID), int(r.UID), int(r.UID)); err != nil {
		return fmt.Errorf("take user %d: %w", r.UID, err)
	}
	return nil
}

func makeFolder(path string) error { return os.MkdirAll(path, 0o755) } //nolint:gosec // everybody must pass

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return &fs.PathError{Op: "mount", Path: target, Err: err}
	}
	return nil
}

// hold opens folders, so that inHand names them whatever is mounted over them.
func hold(paths ...string) ([]*os.File, error) {
	var held []*os.File
	for _, path := range paths {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			release(held)
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		held = append(held, os.NewFile(uintptr(fd), path))
	}
	return held, nil
}

func release(held []*os.File) {
	for _, file := range held {
		_ = file.Close() // nothing was written
	}
}

func inHand(file *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }
