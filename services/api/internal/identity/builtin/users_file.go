package builtin

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
)

// usersFile is the file's shape.
type usersFile struct {
	Projects    []projectEntry    `yaml:"projects"`
	Users       []userEntry       `yaml:"users"`
	Assignments []assignmentEntry `yaml:"assignments"`
}

type projectEntry struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
}

type userEntry struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// PasswordHash is a bcrypt hash; costs up to maxCost are accepted.
	PasswordHash string `yaml:"password_hash"`
	Disabled     bool   `yaml:"disabled,omitempty"`
}

// assignmentEntry gives a user roles on a project, both by name.
type assignmentEntry struct {
	User    string   `yaml:"user"`
	Project string   `yaml:"project"`
	Roles   []string `yaml:"roles,flow"`
}

// readUsersFile refuses a file that others than its owner may read, and names every fault in it.
func readUsersFile(path string) (*directory, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("users file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("users file %s has mode %04o; only its owner may read it: chmod 0600 %s", path, mode, path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("users file: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	var file usersFile
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("users file %s: %w", path, err)
	}
	d, err := file.directory()
	if err != nil {
		return nil, fmt.Errorf("users file %s: %w", path, err)
	}
	return d, nil
}

// idPattern admits Keystone's ids: 32 hex digits, or 64 for users from LDAP. They stand in URLs.
var idPattern = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func (f usersFile) directory() (*directory, error) {
	d := &directory{
		users: map[string]*user{}, usersByName: map[string]*user{},
		projects: map[string]*project{}, projectsByName: map[string]*project{},
	}
	var faults []error
	for _, entry := range f.Projects {
		faults = append(faults, d.addProject(entry))
	}
	for _, entry := range f.Users {
		faults = append(faults, d.addUser(entry))
	}
	for _, entry := range f.Assignments {
		faults = append(faults, d.assign(entry))
	}
	return d, errors.Join(faults...)
}

func (d *directory) addProject(entry projectEntry) error {
	switch {
	case !idPattern.MatchString(entry.ID):
		return fmt.Errorf("project %q: id %q must be 1 to 64 letters, digits, - or _", entry.Name, entry.ID)
	case entry.Name == "":
		return fmt.Errorf("project %s has no name", entry.ID)
	case d.projects[entry.ID] != nil || d.projectsByName[entry.Name] != nil:
		return fmt.Errorf("project %q: another project has its id or name", entry.Name)
	}
	p := &project{id: entry.ID, name: entry.Name}
	d.projects[p.id], d.projectsByName[p.name] = p, p
	return nil
}

func (d *directory) addUser(entry userEntry) error {
	switch {
	case !idPattern.MatchString(entry.ID):
		return fmt.Errorf("user %q: id %q must be 1 to 64 letters, digits, - or _", entry.Name, entry.ID)
	case entry.Name == "":
		return fmt.Errorf("user %s has no name", entry.ID)
	case d.users[entry.ID] != nil || d.usersByName[entry.Name] != nil:
		return fmt.Errorf("user %q: another user has its id or name", entry.Name)
	}
	cost, err := bcrypt.Cost([]byte(entry.PasswordHash))
	if err != nil {
		return fmt.Errorf("user %q: password_hash is no bcrypt hash", entry.Name)
	}
	if cost > maxCost {
		return fmt.Errorf("user %q: password_hash has cost %d; at most %d is accepted", entry.Name, cost, maxCost)
	}
	u := &user{
		id: entry.ID, name: entry.Name, passwordHash: []byte(entry.PasswordHash), disabled: entry.Disabled,
		roles: map[string][]string{},
	}
	d.users[u.id], d.usersByName[u.name] = u, u
	return nil
}

func (d *directory) assign(entry assignmentEntry) error {
	u, p := d.usersByName[entry.User], d.projectsByName[entry.Project]
	switch {
	case u == nil:
		return fmt.Errorf("assignment names the user %q, who is not in the file", entry.User)
	case p == nil:
		return fmt.Errorf("assignment of %q names the project %q, which is not in the file", entry.User, entry.Project)
	case len(entry.Roles) == 0:
		return fmt.Errorf("assignment of %q to %q names no roles", entry.User, entry.Project)
	}
	u.roles[p.id] = withImplied(append(u.roles[p.id], entry.Roles...))
	return nil
}
