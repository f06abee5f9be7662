package builtin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

func TestBootstrapMakesUsersWhoCanLogIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.yaml")
	var passwords map[string]string
	require.NoError(t, Bootstrap(path, func(made map[string]string) error {
		assert.NoFileExists(t, path, "the passwords are kept before the file counts")
		passwords = made
		return nil
	}))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	d, err := readUsersFile(path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, passwords, 3)
	for name, password := range passwords {
		right, err := newVerifier().matches(t.Context(), d.usersByName[name], password)
		require.NoError(t, err)
		assert.True(t, right, name)
		assert.NotContains(t, string(content), password)
		assert.Regexp(t, "^[0-9a-f]{32}$", d.usersByName[name].id)
	}
	demo, admin := d.projectsByName["demo"].id, d.projectsByName["admin"].id
	assert.Equal(t, map[string][]string{demo: {"member", "reader"}}, d.usersByName["demo"].roles)
	assert.Equal(t, map[string][]string{demo: {"reader"}}, d.usersByName["reader"].roles)
	all := []string{"admin", "member", "reader"}
	assert.Equal(t, map[string][]string{demo: all, admin: all}, d.usersByName["admin"].roles)
}

func TestBootstrapTouchesNothingThatIsThere(t *testing.T) {
	path := os0600(t, filepath.Join(t.TempDir(), "users.yaml"), "users: []\n")
	err := Bootstrap(path, func(map[string]string) error { return errors.New("must not be called") })
	require.ErrorIs(t, err, fs.ErrExist)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "users: []\n", string(content))
}

func TestNoFileComesToBeWhosePasswordsNobodyKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.yaml")
	full := errors.New("no space left on device")
	require.ErrorIs(t, Bootstrap(path, func(map[string]string) error { return full }), full)
	assert.NoFileExists(t, path)
}

func TestAUsersFileThatOthersCanReadIsRefused(t *testing.T) {
	path := writeUsers(t, testUsers(t))
	require.NoError(t, os.Chmod(path, 0o640))
	_, err := readUsersFile(path)
	assert.ErrorContains(t, err, "chmod 0600")
}

func TestEveryFaultOfAUsersFileIsNamed(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	require.NoError(t, err)
	file := usersFile{
		Projects: []projectEntry{{ID: "1", Name: "a"}, {ID: "1", Name: "b"}, {ID: "../x", Name: "c"}, {ID: "2"}},
		Users: []userEntry{
			{ID: "1", Name: "u", PasswordHash: string(hash)},
			{ID: "2", Name: "u", PasswordHash: string(hash)},
			{ID: "3", Name: "plain", PasswordHash: "hunter2"},
			{ID: "4", Name: "slow", PasswordHash: "$2a$15" + string(hash[6:])},
			{ID: "", Name: "noid", PasswordHash: string(hash)},
			{ID: "5", PasswordHash: string(hash)},
		},
		Assignments: []assignmentEntry{
			{User: "v", Project: "a", Roles: []string{"member"}},
			{User: "u", Project: "z", Roles: []string{"member"}},
			{User: "u", Project: "a"},
		},
	}
	_, err = file.directory()
	for _, fault := range []string{
		`project "b": another`, `project "c": id "../x"`, `project 2 has no name`,
		`user "u": another`, `user "plain": password_hash is no bcrypt`, `user "slow": password_hash has cost 15`,
		`user "noid": id ""`, `user 5 has no name`,
		`names the user "v"`, `names the project "z"`, `names no roles`,
	} {
		require.ErrorContains(t, err, fault)
	}
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestAUsersFileMayBeJSONAndMayNotHaveUnknownKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.json")
	d, err := readUsersFile(os0600(t, path, `{"projects": [{"id": "1", "name": "one"}], "users": []}`))
	require.NoError(t, err)
	assert.Equal(t, "one", d.projects["1"].name)

	_, err = readUsersFile(os0600(t, path, "users:\n  - id: 1\n    pasword_hash: x\n"))
	assert.ErrorContains(t, err, "line 3")
}
