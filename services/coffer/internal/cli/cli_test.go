package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/cli"
)

// run calls coffer as a user would.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = cli.Run(context.Background(), args, strings.NewReader(""), &out, &problems)
	return code, out.String(), problems.String()
}

func TestConfigCheckNamesTheLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coffer.yaml")
	require.NoError(t, os.WriteFile(path, []byte("serve:\n  listen: 127.0.0.1:1\napi:\n  quota:\n    instances: -7\n"), 0o600))
	code, _, problems := run(t, "config", "check", path)
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, path+":5: api.quota.instances: must be from -1")

	require.NoError(t, os.WriteFile(path, []byte("serve:\n  listen: 127.0.0.1:1\n"), 0o600))
	code, said, _ := run(t, "config", "check", path)
	assert.Zero(t, code)
	assert.Contains(t, said, "is fine")
}

func TestConfigShowHidesSecretsAndFillsIn(t *testing.T) {
	t.Setenv("COFFER_API_STATE_DRIVER", "postgres")
	t.Setenv("COFFER_API_STATE_DSN", "postgres://user:t0psecret@host/db")
	code, shown, problems := run(t, "config", "show", "--data-dir", t.TempDir())
	require.Zero(t, code, problems)
	assert.NotContains(t, shown, "t0psecret")
	assert.Contains(t, shown, "driver: postgres")
	assert.Contains(t, shown, "public_url: http://127.0.0.1:8779")
}

func TestPKIIssueMakesAnAuthorityOnlyWhereOneIsNamed(t *testing.T) {
	dir := t.TempDir()
	code, _, problems := run(t, "pki", "issue", "--data-dir", dir, "--name", "taskmanager/tm1", "--dir", filepath.Join(dir, "tm1"))
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "no authority is in")

	code, said, problems := run(t, "pki", "issue", "--ca", filepath.Join(dir, "ca"), "--name", "taskmanager/tm1", "--dir", filepath.Join(dir, "tm1"))
	require.Zero(t, code, problems)
	assert.Contains(t, said, "coffer://taskmanager/tm1")
	for _, name := range []string{"ca.pem", "cert.pem", "key.pem"} {
		assert.FileExists(t, filepath.Join(dir, "tm1", name))
	}
}

func TestPKIIssueNamesNoGuests(t *testing.T) {
	for _, name := range []string{"instance/i1", "bootstrap/i1", "taskmanager", "taskmanager/"} {
		code, _, problems := run(t, "pki", "issue", "--ca", t.TempDir(), "--name", name, "--dir", t.TempDir())
		assert.Equal(t, 1, code, name)
		assert.Contains(t, problems, "--name must be", name)
	}
}

func TestOpenRCQuotesForTheShell(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "clouds.yaml"), []byte(
		"clouds: {coffer: {auth: {auth_url: http://h/v3, username: demo, password: \"it's\", project_name: demo}}}\n"), 0o600))
	code, said, problems := run(t, "openrc", "--data-dir", dir)
	require.Zero(t, code, problems)
	assert.Contains(t, said, "export OS_AUTH_URL='http://h/v3'\n")
	assert.Contains(t, said, `export OS_PASSWORD='it'\''s'`+"\n")
}

func TestWithoutACloudTheVerbsSayWhatIsMissing(t *testing.T) {
	for _, name := range []string{"OS_CLOUD", "OS_AUTH_URL", "OS_CLIENT_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	code, _, problems := run(t, "instance", "list", "--data-dir", t.TempDir())
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "which cloud?")
}
