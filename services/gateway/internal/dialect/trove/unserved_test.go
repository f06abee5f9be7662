package trove

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatIsServedIsNotCalledUnserved(t *testing.T) {
	rs := allRoutes(t)
	for _, row := range unserved {
		for _, r := range rs {
			if row.method == "" || row.method == r.method {
				assert.False(t, begins(r.segments, unservedSegments(row.path)),
					"%s %v is served: take %q out of unserved", r.method, r.segments, row.path)
			}
		}
	}
	served := rs.actions(strings.Split("v1.0/p/instances/i/action", "/"))
	for _, key := range unservedActions {
		assert.False(t, slices.Contains(served, key), "%s is served: take it out of unservedActions", key)
	}
}

func TestTrovesOtherCallsAreNamed(t *testing.T) {
	path := func(text string) []string { return strings.Split("v1.0/p/"+text, "/") }
	for _, known := range []string{
		"backups", "backups/b", "mgmt/instances/i/action", "instances/i/users/u/databases/d", "datastores/d/versions/v/parameters",
	} {
		named := unservedAt(http.MethodGet, path(known))
		if assert.NotNil(t, named, known) {
			assert.Equal(t, http.StatusNotImplemented, named.code)
		}
	}
	assert.NotNil(t, unservedAt(http.MethodPatch, path("instances/i")))
	for _, unknown := range []string{"nothing", "instances", "instances/i", "instances/i/nothing", "datastores/d", "backupsx"} {
		assert.Nil(t, unservedAt(http.MethodGet, path(unknown)), unknown)
	}
}
