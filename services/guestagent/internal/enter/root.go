package enter

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
)

// Verb is the agent's subcommand.
const Verb = "enter-root"

// Root says what a program shall find around itself.
type Root struct {
	// Folder becomes /. Absolute.
	Folder string
	// Binds are folders that are at the same path inside as outside. Absolute, without symbolic links.
	Binds []string
	// Dir is the working directory, inside. Absolute; empty is /.
	Dir string
	// UID and GID are the program's user; 0 leaves root, whose rights end at the walls of its file system only.
	UID, GID uint32
}

// Arguments are the agent's command line that starts the program in the root.
func (r Root) Arguments(program string, args ...string) []string {
	all := []string{Verb, "--root", r.Folder}
	for _, bind := range r.Binds {
		all = append(all, "--bind", bind)
	}
	if r.Dir != "" {
		all = append(all, "--chdir", r.Dir)
	}
	if r.UID != 0 || r.GID != 0 {
		all = append(all, "--uid", strconv.FormatUint(uint64(r.UID), 10), "--gid", strconv.FormatUint(uint64(r.GID), 10))
	}
	return append(append(all, "--", program), args...)
}

// parse reads what Arguments wrote, without the verb.
func parse(args []string) (r Root, command []string, err error) {
	flags := flag.NewFlagSet(Verb, flag.ContinueOnError)
	flags.StringVar(&r.Folder, "root", "", "the folder that becomes /, absolute")
	flags.Func("bind", "a folder that is at the same path inside, absolute; may be repeated", func(folder string) error {
		r.Binds = append(r.Binds, folder)
		return nil
	})
	flags.StringVar(&r.Dir, "chdir", "/", "the working directory, inside")
	number := func(to *uint32) func(string) error {
		return func(text string) error {
			n, err := strconv.ParseUint(text, 10, 32)
			*to = uint32(n)
			return err
		}
	}
	flags.Func("uid", "the program's user", number(&r.UID))
	flags.Func("gid", "the program's group", number(&r.GID))
	if err := flags.Parse(args); err != nil {
		return r, nil, err
	}
	return r, flags.Args(), r.validate(flags.Args())
}

func (r Root) validate(command []string) error {
	var faults []error
	for _, path := range append([]string{r.Folder, r.Dir}, r.Binds...) {
		if !filepath.IsAbs(path) {
			faults = append(faults, fmt.Errorf("%q is not an absolute path", path))
		}
	}
	if r.Folder == "/" {
		faults = append(faults, errors.New("the root must be a folder of its own"))
	}
	if len(command) == 0 {
		faults = append(faults, errors.New("no program is named"))
	}
	return errors.Join(faults...)
}
