package builtin

import (
	"net/http"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Terraform's provider and every Go client of OpenStack log in as this does.
func TestGophercloudLogsInAndFindsTheDatabaseService(t *testing.T) {
	h := newHouse(t)
	for name, options := range map[string]gophercloud.AuthOptions{
		"project by name":     {Username: "demo", DomainName: "Default", Password: password, TenantName: "demo"},
		"project by id":       {UserID: demoID, Password: password, TenantID: demoProject},
		"project in a scope":  {Username: "demo", DomainID: "default", Password: password, Scope: &gophercloud.AuthScope{ProjectName: "demo", DomainName: "Default"}},
		"a token, rescoped":   {TokenID: h.login("demo", ""), Scope: &gophercloud.AuthScope{ProjectID: demoProject}},
		"a token of projects": {TokenID: h.login("demo", "demo"), Scope: &gophercloud.AuthScope{ProjectID: demoProject}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, url := range []string{"/identity", "/identity/v3", "/identity/v3/"} {
				options.IdentityEndpoint = h.server.URL + url
				provider, err := openstack.AuthenticatedClient(t.Context(), options)
				require.NoError(t, err, url)
				database, err := openstack.NewDBV1(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
				require.NoError(t, err)
				assert.Equal(t, h.server.URL+"/v1.0/9d/", database.ResourceBaseURL())
			}
		})
	}
}

func TestGophercloudReadsAndRevokesTokens(t *testing.T) {
	h := newHouse(t)
	provider, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: h.server.URL + "/identity/v3", Username: "admin", DomainName: "Default", Password: password,
		TenantName: "admin", AllowReauth: true,
	})
	require.NoError(t, err)
	client, err := openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
	require.NoError(t, err)

	token := h.login("demo", "demo")
	valid, err := tokens.Validate(t.Context(), client, token)
	require.NoError(t, err)
	assert.True(t, valid)
	shown := tokens.Get(t.Context(), client, token)
	user, err := shown.ExtractUser()
	require.NoError(t, err)
	assert.Equal(t, "demo", user.Name)
	project, err := shown.ExtractProject()
	require.NoError(t, err)
	assert.Equal(t, demoProject, project.ID)
	roles, err := shown.ExtractRoles()
	require.NoError(t, err)
	assert.Len(t, roles, 2)
	catalog, err := shown.ExtractServiceCatalog()
	require.NoError(t, err)
	assert.Len(t, catalog.Entries, 2)

	pages, err := projects.List(client, nil).AllPages(t.Context())
	require.NoError(t, err)
	list, err := projects.ExtractProjects(pages)
	require.NoError(t, err)
	assert.Len(t, list, 2)

	require.NoError(t, tokens.Revoke(t.Context(), client, token).Err)
	valid, err = tokens.Validate(t.Context(), client, token)
	require.NoError(t, err)
	assert.False(t, valid)

	// A client whose own token ended takes a new one by itself.
	h.pass(h.cfg.TokenTTL)
	_, err = projects.List(client, nil).AllPages(t.Context())
	require.NoError(t, err)

	_, err = openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: h.server.URL + "/identity/v3", Username: "demo", DomainName: "Default", Password: "wrong", TenantName: "demo",
	})
	assert.True(t, gophercloud.ResponseCodeIs(err, http.StatusUnauthorized), "%v", err)
}
