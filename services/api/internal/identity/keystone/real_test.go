package keystone

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	gopheropenstack "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/domains"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// What the built-in subset of a Keystone has none of is tried on a real one alone.

// estate makes things in Keystone for a test, and takes them away after it.
type estate struct {
	*house
	api *gophercloud.ServiceClient
}

func (h *house) estate() estate { return estate{house: h, api: h.asAdmin()} }

func (e estate) after(remove func(context.Context) error) {
	e.t.Cleanup(func() { assert.NoError(e.t, remove(context.WithoutCancel(e.t.Context()))) })
}

// name is one that nobody else has.
func (e estate) name() string { return "coffer-test-" + strings.ToLower(rand.Text()) }

func (e estate) domain() *domains.Domain {
	e.t.Helper()
	made, err := domains.Create(e.t.Context(), e.api, domains.CreateOpts{Name: e.name()}).Extract()
	require.NoError(e.t, err)
	e.after(func(ctx context.Context) error {
		disabled := false
		if _, err := domains.Update(ctx, e.api, made.ID, domains.UpdateOpts{Enabled: &disabled}).Extract(); err != nil {
			return err
		}
		return domains.Delete(ctx, e.api, made.ID).ExtractErr()
	})
	return made
}

func (e estate) project(domain string) *projects.Project {
	e.t.Helper()
	made, err := projects.Create(e.t.Context(), e.api, projects.CreateOpts{Name: e.name(), DomainID: domain}).Extract()
	require.NoError(e.t, err)
	e.after(func(ctx context.Context) error { return projects.Delete(ctx, e.api, made.ID).ExtractErr() })
	return made
}

func (e estate) user(domain, password string) *users.User {
	e.t.Helper()
	made, err := users.Create(e.t.Context(), e.api, users.CreateOpts{Name: e.name(), DomainID: domain, Password: password}).Extract()
	require.NoError(e.t, err)
	e.after(func(ctx context.Context) error { return users.Delete(ctx, e.api, made.ID).ExtractErr() })
	return made
}

// assign gives a user a role on what the options name.
func (e estate) assign(user, role string, on roles.AssignOpts) {
	e.t.Helper()
	pages, err := roles.List(e.api, roles.ListOpts{Name: role}).AllPages(e.t.Context())
	require.NoError(e.t, err)
	found, err := roles.ExtractRoles(pages)
	require.NoError(e.t, err)
	require.Len(e.t, found, 1)
	on.UserID = user
	require.NoError(e.t, roles.Assign(e.t.Context(), e.api, found[0].ID, on).ExtractErr())
}

// projectNamed finds one of the domain default.
func (e estate) projectNamed(name string) string {
	e.t.Helper()
	pages, err := projects.List(e.api, projects.ListOpts{Name: name, DomainID: "default"}).AllPages(e.t.Context())
	require.NoError(e.t, err)
	found, err := projects.ExtractProjects(pages)
	require.NoError(e.t, err)
	require.Len(e.t, found, 1)
	return found[0].ID
}

func TestAUserOfOneDomainMayWorkInAProjectOfAnother(t *testing.T) {
	e := newRealHouse(t).estate()
	home, abroad := e.domain(), e.domain()
	user, project := e.user(home.ID, password), e.project(abroad.ID)
	e.assign(user.ID, "member", roles.AssignOpts{ProjectID: project.ID})

	caller, err := e.authenticate(e.client(gophercloud.AuthOptions{
		UserID: user.ID, Password: password, Scope: &gophercloud.AuthScope{ProjectID: project.ID},
	}).Token())
	require.NoError(t, err)
	assert.Equal(t, identity.Caller{
		UserID: user.ID, UserName: user.Name, UserDomain: identity.Domain{ID: home.ID, Name: home.Name},
		ProjectID: project.ID, ProjectName: project.Name, ProjectDomain: identity.Domain{ID: abroad.ID, Name: abroad.Name},
		Roles: caller.Roles, Expires: caller.Expires,
	}, caller)
	assert.ElementsMatch(t, []string{"member", "reader"}, caller.Roles)
}

func TestAnAdminOfADomainIsNoneOfAProject(t *testing.T) {
	e := newRealHouse(t).estate()
	home := e.domain()
	user := e.user(home.ID, password)
	e.assign(user.ID, "admin", roles.AssignOpts{DomainID: home.ID})

	caller, err := e.authenticate(e.client(gophercloud.AuthOptions{
		UserID: user.ID, Password: password, Scope: &gophercloud.AuthScope{DomainID: home.ID},
	}).Token())
	require.NoError(t, err)
	assert.Empty(t, caller.ProjectID)
	assert.False(t, caller.HasRole("admin"))
}

func TestATokenForSomeCallsOnlyIsRefused(t *testing.T) {
	h := newRealHouse(t)
	user := h.client(gophercloud.AuthOptions{
		Username: "demo", Scope: &gophercloud.AuthScope{ProjectName: "demo", DomainID: "default"},
	})
	api, err := gopheropenstack.NewIdentityV3(user, gophercloud.EndpointOpts{})
	require.NoError(t, err)
	self, err := tokens.Get(t.Context(), api, user.Token()).ExtractUser()
	require.NoError(t, err)
	narrow, err := applicationcredentials.Create(t.Context(), api, self.ID, applicationcredentials.CreateOpts{
		Name:        "coffer-test-" + rand.Text(),
		AccessRules: []applicationcredentials.AccessRule{{Service: "compute", Method: "GET", Path: "/v2.1/servers"}},
	}).Extract()
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, applicationcredentials.Delete(ctx, api, self.ID, narrow.ID).ExtractErr())
		assert.NoError(t, applicationcredentials.DeleteAccessRule(ctx, api, self.ID, narrow.AccessRules[0].ID).ExtractErr())
	})
	_, err = h.authenticate(h.client(gophercloud.AuthOptions{
		ApplicationCredentialID: narrow.ID, ApplicationCredentialSecret: narrow.Secret,
	}).Token())
	require.ErrorIs(t, err, identity.ErrUnauthenticated)
}

func TestTheServiceUsersPasswordIsReplacedWithoutARefusal(t *testing.T) {
	e := newRealHouse(t).estate()
	service := e.user("default", "first")
	e.assign(service.ID, "service", roles.AssignOpts{ProjectID: e.projectNamed("service")})
	e.writeCloud(service.Name, "first", "service")
	cfg := DefaultConfig()
	cfg.TokenRecheck = 0 // each call asks
	e.open(cfg)
	token := e.login("demo", "demo")
	_, err := e.authenticate(token)
	require.NoError(t, err)

	replaced, failed := make(chan struct{}), make(chan error, 1)
	var caller sync.WaitGroup
	caller.Go(func() {
		var failures error
		for more := true; more; {
			select {
			case <-replaced:
				more = false // the last call begins after the change
			default:
			}
			_, err := e.authenticate(token)
			failures = errors.Join(failures, err)
		}
		failed <- failures
	})
	e.writeCloud(service.Name, "second", "service")
	_, err = users.Update(t.Context(), e.api, service.ID, users.UpdateOpts{Password: "second"}).Extract()
	require.NoError(t, err)
	close(replaced)
	caller.Wait()
	require.NoError(t, <-failed)
	assert.LessOrEqual(t, e.wire.logins.Load(), int32(3), "one at first, one after the change, and one more in the same second")
}
