package registration

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// knownRoles are the roles that users have, and that of services among themselves.
var knownRoles = []string{"admin", "member", "reader", "service"}

// serviceRoles are those of the service user. With service it may check tokens and vouch for expired ones; admin is what
// ports on tenants' networks and servers on chosen hosts take.
var serviceRoles = []string{"admin", "service"}

// ServiceUser is as whom a control plane speaks to the cloud.
type ServiceUser struct {
	Name    string
	Project string
	// Domain of both, by id or name.
	Domain string
	// Password is given to the user. Empty means a random one for a new user; one that is there keeps its own.
	Password string
	// ApplicationCredential is the name of one to make; empty for none.
	ApplicationCredential string
}

// Secret is what the service user logs in with.
type Secret struct {
	AuthURL, Region       string
	User, Project, Domain string
	// Password is empty where the user is there and keeps a password that is not known here.
	Password string
	// Generated says that nobody else knows the password.
	Generated bool
	// CredentialID and CredentialSecret are of an application credential that was made now.
	CredentialID, CredentialSecret string
}

// Known says whether somebody can log in with it.
func (s Secret) Known() bool { return s.Password != "" || s.CredentialSecret != "" }

var errUnknownPassword = errors.New("the user is there already, and makes its application credentials itself: give its password")

// ensureUser makes roles, project and user, gives the user its roles, and the application credential if one is wanted.
func (r *Registry) ensureUser(ctx context.Context, wanted ServiceUser) (Secret, error) {
	domain, err := r.domain(ctx, wanted.Domain)
	if err != nil {
		return Secret{}, err
	}
	secret := Secret{
		AuthURL: r.authURL(), User: wanted.Name, Project: wanted.Project, Domain: domain, Password: wanted.Password,
	}
	roleIDs := map[string]string{}
	for _, role := range knownRoles {
		if roleIDs[role], err = r.ensureRole(ctx, role); err != nil {
			return Secret{}, fmt.Errorf("register the role %s: %w", role, err)
		}
	}
	project, err := r.ensureProject(ctx, wanted.Project, domain)
	if err != nil {
		return Secret{}, fmt.Errorf("register the project %s: %w", wanted.Project, err)
	}
	user, err := r.ensurePassword(ctx, &secret)
	if err != nil {
		return Secret{}, fmt.Errorf("register the user %s: %w", wanted.Name, err)
	}
	for _, role := range serviceRoles {
		if err := r.ensureAssignment(ctx, wanted, roleIDs[role], role, user, project); err != nil {
			return secret, fmt.Errorf("give the user %s the role %s: %w", wanted.Name, role, err)
		}
	}
	if wanted.ApplicationCredential != "" {
		if err := r.ensureCredential(ctx, wanted.ApplicationCredential, user, &secret); err != nil {
			return secret, fmt.Errorf("make the application credential %s: %w", wanted.ApplicationCredential, err)
		}
	}
	return secret, nil
}

func (r *Registry) ensureRole(ctx context.Context, name string) (id string, err error) {
	role, err := first(ctx, roles.List(r.api, roles.ListOpts{Name: name}), roles.ExtractRoles)
	if err != nil {
		return "", err
	}
	if role != nil {
		r.note(there, "role %s", name)
		return role.ID, nil
	}
	if role, err = roles.Create(ctx, r.api, roles.CreateOpts{Name: name}).Extract(); err != nil {
		return "", client.Explain(err)
	}
	r.note(made, "role %s", name)
	return role.ID, nil
}

func (r *Registry) ensureProject(ctx context.Context, name, domain string) (id string, err error) {
	project, err := first(ctx, projects.List(r.api, projects.ListOpts{Name: name, DomainID: domain}), projects.ExtractProjects)
	if err != nil {
		return "", err
	}
	if project != nil {
		r.note(there, "project %s", name)
		return project.ID, nil
	}
	if project, err = projects.Create(ctx, r.api, projects.CreateOpts{Name: name, DomainID: domain}).Extract(); err != nil {
		return "", client.Explain(err)
	}
	r.note(made, "project %s", name)
	return project.ID, nil
}

// ensurePassword makes the user, or gives one that is there the password that is wanted, unless it has it already: a
// new password ends all tokens of a user, also when it is the old one.
func (r *Registry) ensurePassword(ctx context.Context, secret *Secret) (id string, err error) {
	user, err := first(ctx, users.List(r.api, users.ListOpts{Name: secret.User, DomainID: secret.Domain}), users.ExtractUsers)
	switch {
	case err != nil:
		return "", err
	case user == nil:
		if secret.Password == "" {
			secret.Password, secret.Generated = rand.Text(), true
		}
		user, err = users.Create(ctx, r.api, users.CreateOpts{
			Name: secret.User, DomainID: secret.Domain, Password: secret.Password, Description: mark,
		}).Extract()
		if err != nil {
			return "", client.Explain(err)
		}
		r.note(made, "user %s", secret.User)
	case secret.Password == "":
		r.note(there, "user %s, with a password of its own", secret.User)
	default:
		_, err := r.as(ctx, *secret, user.ID, nil)
		if !gophercloud.ResponseCodeIs(err, http.StatusUnauthorized) {
			if err != nil {
				return "", client.Explain(err)
			}
			r.note(there, "user %s, with this password", secret.User)
			break
		}
		if _, err := users.Update(ctx, r.api, user.ID, users.UpdateOpts{Password: secret.Password}).Extract(); err != nil {
			return "", client.Explain(err)
		}
		r.note(changed, "user %s: another password", secret.User)
	}
	return user.ID, nil
}

// as logs the service user in.
func (r *Registry) as(
	ctx context.Context, secret Secret, user string, scope *gophercloud.AuthScope,
) (*gophercloud.ServiceClient, error) {
	provider, err := openstack.NewClient(secret.AuthURL)
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = r.api.HTTPClient
	err = openstack.Authenticate(ctx, provider, gophercloud.AuthOptions{UserID: user, Password: secret.Password, Scope: scope})
	if err != nil {
		return nil, err
	}
	return openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
}

func (r *Registry) ensureAssignment(ctx context.Context, wanted ServiceUser, role, roleName, user, project string) error {
	what := fmt.Sprintf("role %s of user %s on project %s", roleName, wanted.Name, wanted.Project)
	held, err := all(ctx, roles.ListAssignmentsOnResource(r.api, roles.ListAssignmentsOnResourceOpts{
		UserID: user, ProjectID: project,
	}), roles.ExtractRoles)
	if err != nil {
		return err
	}
	for _, has := range held {
		if has.ID == role {
			r.note(there, "%s", what)
			return nil
		}
	}
	if err := roles.Assign(ctx, r.api, role, roles.AssignOpts{UserID: user, ProjectID: project}).ExtractErr(); err != nil {
		return client.Explain(err)
	}
	r.note(made, "%s", what)
	return nil
}

// ensureCredential has the user make one: nobody else may. Its secret is told once.
func (r *Registry) ensureCredential(ctx context.Context, name, user string, secret *Secret) error {
	if secret.Password == "" {
		return errUnknownPassword
	}
	self, err := r.as(ctx, *secret, user, &gophercloud.AuthScope{
		ProjectName: secret.Project, DomainID: secret.Domain,
	})
	if err != nil {
		return client.Explain(err)
	}
	found, err := first(ctx, applicationcredentials.List(self, user, applicationcredentials.ListOpts{Name: name}),
		applicationcredentials.ExtractApplicationCredentials)
	if err != nil {
		return err
	}
	if found != nil {
		r.note(there, "application credential %s, whose secret was told when it was made", name)
		return nil
	}
	credential, err := applicationcredentials.Create(ctx, self, user, applicationcredentials.CreateOpts{Name: name}).Extract()
	if err != nil {
		return client.Explain(err)
	}
	secret.CredentialID, secret.CredentialSecret = credential.ID, credential.Secret
	r.note(made, "application credential %s", name)
	return nil
}
