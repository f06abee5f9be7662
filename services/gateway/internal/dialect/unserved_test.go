package dialect

import (
	"net/http"
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
}

func TestTrovesOtherCallsAreNamed(t *testing.T) {
	path := func(text string) []string { return strings.Split("v1.0/p/"+text, "/") }
	for _, known := range []string{
		"backups", "backups/b", "mgmt/instances/i/root", "instances/i/users/u/databases/d", "datastores/d/versions/v/parameters",
	} {
		named := unservedAt(http.MethodGet, path(known))
		if assert.NotNil(t, named, known) {
			assert.Equal(t, http.StatusNotImplemented, named.code)
		}
	}
	for _, unknown := range []string{"nothing", "instances", "instances/i", "instances/i/nothing", "datastores/d", "backupsx"} {
		assert.Nil(t, unservedAt(http.MethodGet, path(unknown)), unknown)
	}
}
