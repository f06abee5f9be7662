// Package enter starts a program in a root folder: a file system of its own, such as debootstrap makes, so that several
// versions of a database stand side by side on one machine.
//
// Its one idea is that the process that starts becomes the program. `coffer-guestagent enter-root` makes a mount
// namespace for itself alone, builds the program's file system there, drops root's rights and executes the program, so
// that the process has the same id from first to last and all the mounts go with it, however it ends. Nothing is mounted
// where anybody else could see it, and nothing is written to the root folder.
//
// Inside are, and no more: the root folder, which cannot be changed; the bound folders, at the paths that they have
// outside; /proc with the program's own processes, a /dev of six devices, and small /tmp and /dev/shm of its own. The
// machine's own file system is out of reach (pivot_root, not chroot).
package enter
