package dialect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coffer-dbaas/coffer/pkg/action"
)

func allRoutes(t *testing.T) routes {
	t.Helper()
	var services []protoreflect.ServiceDescriptor
	for _, file := range served {
		for i := range file.Services().Len() {
			services = append(services, file.Services().Get(i))
		}
	}
	made, err := routesOf(services)
	require.NoError(t, err)
	return made
}

// accepted are the actions that have no call of their own, with the call that accepts them.
var accepted = map[action.Name]string{
	action.CreateReplica: "create_instance", action.DetachReplica: "update_instance",
	action.UpgradeInstance: "update_instance", action.UpdateAccess: "update_instance",
}

func TestEveryActionHasARoute(t *testing.T) {
	for _, name := range action.Names() {
		found := false
		if by, general := accepted[name]; general {
			name = action.Name(by)
		}
		for _, r := range allRoutes(t) {
			request := string(r.input.Name())
			found = found || strings.EqualFold(request, strings.ReplaceAll(string(name), "_", "")+"Request")
		}
		assert.True(t, found, "%s has no route", name)
	}
}

func TestAPathTellsItsActionsAndMethods(t *testing.T) {
	rs := allRoutes(t)
	path := func(text string) []string { return strings.Split(text, "/") }
	assert.Equal(t, []string{
		"restart", "resize_flavor", "resize_volume", "promote_to_replica_source", "eject_replica_source", "reset_status",
	}, rs.actions(path("v1.0/p/instances/i/action")))
	assert.Equal(t, []string{"stop", "reboot", "migrate", "reset-task-status", "rebuild"},
		rs.actions(path("v1.0/p/mgmt/instances/i/action")))
	assert.Nil(t, rs.actions(path("v1.0/p/instances/i")))
	assert.Equal(t, []string{"DELETE", "GET", "PATCH", "PUT"}, rs.methods(path("v1.0/p/instances/i")))
	assert.Equal(t, []string{"GET", "POST"}, rs.methods(path("v1.0/p/instances")))
	assert.Empty(t, rs.methods(path("v1.0/p")))
}

func TestALaterRouteDoesNotHideAnEarlierOne(t *testing.T) {
	rs := allRoutes(t)
	for i, later := range rs {
		for _, earlier := range rs[:i] {
			if later.method == earlier.method && later.verb == earlier.verb && len(later.segments) == len(earlier.segments) {
				assert.False(t, later.matches(earlier.segments),
					"%v is tried first and takes what is meant for %v", later.segments, earlier.segments)
			}
		}
	}
}
