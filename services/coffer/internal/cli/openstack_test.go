package cli_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

const restURL = "http://127.0.0.1:18779/v1.0/%(project_id)s"

// registrant registers under a name that nobody else has.
type registrant struct {
	*testing.T
	user string
	dir  string
}

func newRegistrant(t *testing.T) *registrant {
	t.Helper()
	r := &registrant{T: t, user: "coffer-test-" + strings.ToLower(rand.Text()), dir: t.TempDir()}
	t.Cleanup(func() {
		code, _, problems := run(t, "openstack", "unregister", "--user", r.user)
		assert.Zero(t, code, problems)
	})
	return r
}

func (r *registrant) arguments(more ...string) []string {
	return append([]string{"openstack", "register", "--user", r.user}, more...)
}

// register gives what was found, by what it is, and what else was said.
func (r *registrant) register(more ...string) (found map[string]string, rest string) {
	r.Helper()
	return parse(mustRun(r.T, r.arguments(append([]string{"--url", restURL}, more...)...)...))
}

func parse(said string) (found map[string]string, rest string) {
	found = map[string]string{}
	lines, rest, _ := strings.Cut(said, "\n\n")
	for line := range strings.Lines(lines) {
		word, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[strings.TrimSpace(what)] = word
	}
	return found, rest
}

// logIn tries the login that was told or written.
func (r *registrant) logIn(text string) {
	r.Helper()
	path := filepath.Join(r.dir, rand.Text()+".yaml")
	require.NoError(r, os.WriteFile(path, []byte(text), 0o600))
	r.Setenv("OS_CLIENT_CONFIG_FILE", path)
	defer r.Setenv("OS_CLIENT_CONFIG_FILE", "")
	_, err := client.Connect(r.Context(), client.Login{Cloud: "coffer"})
	require.NoError(r, err, "the catalog names the service")
}

func (r *registrant) file(name, text string) string {
	r.Helper()
	path := filepath.Join(r.dir, name)
	require.NoError(r, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestRegisterMakesWhatIsMissingAndSaysSo(t *testing.T) {
	everyKeystone(t, func(t *testing.T) {
		r := newRegistrant(t)
		found, told := r.register()
		assert.Equal(t, map[string]string{
			"role admin": "there", "role member": "there", "role reader": "there", "role service": "there", "project service": "there",
			"user " + r.user: "made",
			"role admin of user " + r.user + " on project service":   "made",
			"role service of user " + r.user + " on project service": "made",
			"service trove (database)":                               "made",
			"endpoint public of RegionOne: " + restURL:               "made",
			"endpoint internal of RegionOne: " + restURL:             "made",
			"endpoint admin of RegionOne: " + restURL:                "made",
		}, found)
		assert.Contains(t, told, "It is told here and nowhere else.")
		r.logIn(told)

		found, told = r.register()
		for what, word := range found {
			assert.Equal(t, "there", word, what)
		}
		assert.Len(t, found, 12)
		assert.Empty(t, told)
	})
}

func TestTheServiceUsersPasswordIsTheOneThatIsGiven(t *testing.T) {
	everyKeystone(t, func(t *testing.T) {
		r := newRegistrant(t)
		first, second := r.file("first", "one\n"), r.file("second", "two\n")
		clouds := filepath.Join(r.dir, "written.yaml")
		found, told := r.register("--password-file", first, "--clouds", clouds)
		assert.Equal(t, "made", found["user "+r.user])
		assert.Empty(t, told)
		text, err := os.ReadFile(clouds)
		require.NoError(t, err)
		r.logIn(string(text))
		info, err := os.Stat(clouds)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

		code, _, problems := run(t, r.arguments("--url", restURL, "--clouds", clouds)...)
		assert.Equal(t, 1, code)
		assert.Contains(t, problems, "file exists")

		found, _ = r.register("--password-file", first)
		assert.Equal(t, "there", found["user "+r.user+", with this password"])
		found, told = r.register("--password-file", second)
		assert.Equal(t, "changed", found["user "+r.user+": another password"])
		assert.Empty(t, told, "who gave the password knows it")
		r.logIn(strings.ReplaceAll(string(text), "password: one", "password: two"))
	})
}

func TestTheServiceUserMayLogInByAnApplicationCredential(t *testing.T) {
	everyKeystone(t, func(t *testing.T) {
		r := newRegistrant(t)
		password := r.file("password", "one\n")
		found, told := r.register("--password-file", password, "--application-credential", "first")
		assert.Equal(t, "made", found["application credential first"])
		assert.Contains(t, told, "auth_type: v3applicationcredential")
		assert.NotContains(t, told, "password")
		r.logIn(told)

		found, told = r.register("--password-file", password, "--application-credential", "first")
		assert.Equal(t, "there", found["application credential first, whose secret was told when it was made"])
		assert.Empty(t, told)
		code, _, problems := run(t, r.arguments("--url", restURL, "--application-credential", "second")...)
		assert.Equal(t, 1, code)
		assert.Contains(t, problems, "give its password")
	})
}

func TestRegisterRefusesWhatWouldMisleadClients(t *testing.T) {
	everyKeystone(t, func(t *testing.T) {
		r := newRegistrant(t)
		r.register()
		elsewhere := strings.ReplaceAll(restURL, "18779", "28779")
		code, said, problems := run(t, r.arguments("--url", elsewhere)...)
		assert.Equal(t, 1, code)
		assert.Empty(t, said, "nothing is made where something is in the way")
		assert.Contains(t, problems, "endpoint of RegionOne is "+restURL)
		code, _, problems = run(t, r.arguments("--url", restURL, "--service-name", "coffer")...)
		assert.Equal(t, 1, code)
		assert.Contains(t, problems, "a database service named trove is there")

		found, _ := r.register("--url", elsewhere, "--replace")
		assert.Equal(t, "changed", found["endpoint public of RegionOne: "+elsewhere])
		found, _ = r.register("--url", elsewhere)
		assert.Equal(t, "there", found["endpoint public of RegionOne: "+elsewhere])
	})
}

func TestUnregisterTakesAwayWhatRegisterMade(t *testing.T) {
	everyKeystone(t, func(t *testing.T) {
		r := newRegistrant(t)
		r.register()
		taken, _ := parse(mustRun(t, "openstack", "unregister", "--user", "demo", "--region", "elsewhere"))
		assert.Equal(t, map[string]string{
			"service trove (database), with endpoints of other regions": "there",
			"user demo: it was not made by a registration":              "there",
		}, taken)
		taken, _ = parse(mustRun(t, "openstack", "unregister", "--user", r.user))
		assert.Equal(t, map[string]string{
			"endpoint public of RegionOne: " + restURL:   "removed",
			"endpoint internal of RegionOne: " + restURL: "removed",
			"endpoint admin of RegionOne: " + restURL:    "removed",
			"service trove (database)":                   "removed",
			"user " + r.user:                             "removed",
		}, taken)
		taken, _ = parse(mustRun(t, "openstack", "unregister", "--user", r.user))
		assert.Equal(t, map[string]string{"service trove (database)": "absent", "user " + r.user: "absent"}, taken)
	})
}

func TestAnEmptyKeystoneGetsItsRolesAndProject(t *testing.T) {
	k := newKeystone(t)
	k.things["roles"], k.things["projects"] = nil, nil
	setAdmin(t, k.url)
	found, _ := newRegistrant(t).register()
	for _, what := range []string{"role admin", "role member", "role reader", "role service", "project service"} {
		assert.Equal(t, "made", found[what], what)
	}
}

func TestRegisterWantsAnEndpointOfTheAPI(t *testing.T) {
	setAdmin(t, newKeystone(t).url)
	for _, url := range []string{"", "db.example.org", "ftp://db/v1.0/%(project_id)s", "http://db:8779", "http://db:8779/v1.0", "http:///v1.0/%(project_id)s"} {
		code, _, problems := run(t, "openstack", "register", "--url", url)
		assert.Equal(t, 1, code, url)
		assert.Contains(t, problems, "--url must be a URL like http://host:8779/v1.0/%(project_id)s", url)
	}
	code, _, problems := run(t, "openstack", "register", "--url", restURL, "--domain", "absent")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "there is no domain absent")
}
