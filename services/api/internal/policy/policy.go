package policy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// The words that stand for a check; any other check is a list of roles.
const (
	// Anyone is every caller with a good token.
	Anyone = "anyone"
	// Admin is a caller with the role admin.
	Admin = "admin"
	// AdminOrOwner is a caller with the role admin, or any caller of the project that owns the resource.
	AdminOrOwner = "admin_or_owner"
)

const (
	roleAdmin  = "admin"
	roleMember = "member"
)

// Policy is a set of rules.
type Policy struct {
	checks map[string]check
}

// check admits by one of the words, or by any of the roles.
type check struct {
	word  string
	roles []string
}

// Default is Trove's policy, except that what changes something needs the role member or admin, so that the role
// reader only reads.
func Default() *Policy {
	return &Policy{checks: maps.Clone(defaults)}
}

// Load is Default with the rules of a file (YAML or JSON: rule -> word or list of roles) in place of the same ones. An
// empty path is Default.
func Load(path string) (*Policy, error) {
	policy := Default()
	if path == "" {
		return policy, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load policy: %w", err)
	}
	rules := map[string]check{}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		return nil, fmt.Errorf("load policy %s: %w", path, err)
	}
	var faults []error
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if _, known := defaults[rule]; !known {
			faults = append(faults, fmt.Errorf("unknown rule %q", rule))
			continue
		}
		policy.checks[rule] = rules[rule]
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("load policy %s: %w", path, err)
	}
	return policy, nil
}

// UnmarshalYAML reads a word or a list of roles.
func (c *check) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode(&c.roles)
	}
	if err := node.Decode(&c.word); err != nil {
		return err
	}
	switch c.word {
	case Anyone, Admin, AdminOrOwner:
		return nil
	}
	return fmt.Errorf("line %d: %q is neither a list of roles nor one of %s, %s, %s",
		node.Line, c.word, Anyone, Admin, AdminOrOwner)
}

// Check refuses a caller that may not do what the rule names to a resource of the project.
func (p *Policy) Check(caller identity.Caller, rule, projectID string) error {
	c, known := p.checks[rule]
	if known && c.admits(caller, projectID) {
		return nil
	}
	return errs.New(errs.Forbidden, "POLICY", "Policy doesn't allow %s to be performed.", rule)
}

func (c check) admits(caller identity.Caller, projectID string) bool {
	owner := projectID != "" && caller.ProjectID == projectID
	switch c.word {
	case Anyone:
		return true
	case Admin:
		return IsAdmin(caller)
	case AdminOrOwner:
		return IsAdmin(caller) || owner
	}
	return (owner || IsAdmin(caller)) && slices.ContainsFunc(c.roles, caller.HasRole)
}

// IsAdmin says whether the caller sees what admins see: resources of all projects, and fields that others do not get.
func IsAdmin(caller identity.Caller) bool { return caller.HasRole(roleAdmin) }
