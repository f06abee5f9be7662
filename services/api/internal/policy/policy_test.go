package policy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
)

var (
	admin    = identity.Caller{ProjectID: "admins", Roles: []string{"admin", "member", "reader"}}
	member   = identity.Caller{ProjectID: "demo", Roles: []string{"member", "reader"}}
	reader   = identity.Caller{ProjectID: "demo", Roles: []string{"reader"}}
	stranger = identity.Caller{ProjectID: "other", Roles: []string{"member", "reader"}}
	nobody   = identity.Caller{}
)

func TestWhoMayByDefault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule                                    string
		admin, member, reader, stranger, nobody bool
	}{
		{"instance:create", true, true, false, false, false},
		{"instance:restart", true, true, false, false, false},
		{"instance:delete", true, true, false, false, false},
		{"instance:force_delete", true, true, false, false, false},
		{"instance:reset_status", true, false, false, false, false},
		{"instance:index", true, true, true, false, false},
		{"instance:detail", true, true, true, false, false},
		{"instance:show", true, true, true, false, false},
		{"instance:extension:user:create", true, true, false, false, false},
		{"instance:extension:database:create", true, true, false, false, false},
		{"datastore:index", true, true, true, true, true},
		{"flavor:show", true, true, true, true, true},
		{"limits:index", true, true, true, false, false},
		{"task:index", true, true, true, false, false},
		{"task:cancel", true, true, false, false, false},
		{"event:index", true, true, true, false, false},
		{"no:such_rule", false, false, false, false, false},
	}
	rules := policy.Default()
	for _, test := range tests {
		for name, who := range map[string]struct {
			caller identity.Caller
			may    bool
		}{
			"admin": {admin, test.admin}, "member": {member, test.member}, "reader": {reader, test.reader},
			"stranger": {stranger, test.stranger}, "nobody": {nobody, test.nobody},
		} {
			err := rules.Check(who.caller, test.rule, "demo")
			if who.may {
				require.NoError(t, err, "%s by %s", test.rule, name)
				continue
			}
			require.EqualError(t, err, "Policy doesn't allow "+test.rule+" to be performed.", name)
			assert.True(t, errs.IsKind(err, errs.Forbidden))
		}
	}
}

func TestNobodyOwnsAResourceWithoutAProject(t *testing.T) {
	t.Parallel()
	require.Error(t, policy.Default().Check(nobody, "instance:show", ""))
}

func TestEveryActionHasItsRule(t *testing.T) {
	t.Parallel()
	for _, name := range action.Names() {
		a, found := action.Lookup(name)
		require.True(t, found, name)
		require.NoError(t, policy.Default().Check(admin, a.PolicyRule, "demo"), name)
	}
}

func TestAFileReplacesRules(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(
		"instance:restart: [operator, reader]\ninstance:delete: admin\nlimits:index: anyone\n"), 0o600))
	rules, err := policy.Load(path)
	require.NoError(t, err)

	require.NoError(t, rules.Check(reader, "instance:restart", "demo"))
	require.Error(t, rules.Check(stranger, "instance:restart", "demo"), "a role counts in its own project")
	require.Error(t, rules.Check(member, "instance:delete", "demo"))
	require.NoError(t, rules.Check(stranger, "limits:index", "demo"))
	require.NoError(t, rules.Check(member, "instance:create", "demo"), "the others stay")
}

func TestAFaultyFileIsRefusedWithAllItsFaults(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte("a:b: admin\nc:d: anyone\n"), 0o600))
	_, err := policy.Load(path)
	require.ErrorContains(t, err, `unknown rule "a:b"`)
	require.ErrorContains(t, err, `unknown rule "c:d"`)

	require.NoError(t, os.WriteFile(path, []byte("instance:create: owner\n"), 0o600))
	_, err = policy.Load(path)
	require.ErrorContains(t, err, `line 1: "owner" is neither`)

	_, err = policy.Load(path + ".missing")
	require.Error(t, err)
}
