package dialect

import (
	"net/http"
	"strings"
)

// unserved are the parts of Trove's API that Coffer does not have: who calls one is told so (501), rather than left to
// look for a mistake in a path that is right. A row goes when its first route comes; a test says which.
var unserved = []struct {
	// method is empty for all of them.
	method string
	// path below the project; * stands for a parameter. What lies below it is unserved too.
	path string
	what string
}{
	{"", "backups", "backups"},
	{"", "backup_strategies", "backup strategies"},
	{"", "configurations", "configuration groups"},
	{"", "modules", "modules"},
	{"", "clusters", "clusters"},
	{"", "mgmt/quotas", "changes of quotas"},
	{"", "mgmt/datastores", "changes of datastores"},
	{"", "mgmt/datastore-versions", "changes of datastores"},
	{"", "mgmt/clusters", "clusters"},
	{"", "mgmt/instances/*/root", "the root user"},
	{"", "mgmt/instances/*/hwinfo", "the hardware of a server"},
	{"", "mgmt/instances/*/diagnostics", "the diagnostics of a server"},
	{"", "mgmt/instances/*/rpc_ping", "pings of a guest"},
	{"", "mgmt/instances/*/upgrade", "upgrades of a guest agent"},
	{"", "instances/*/databases", "the databases of an instance"},
	{"", "instances/*/users", "the users of an instance"},
	{"", "instances/*/root", "the root user"},
	{"", "instances/*/log", "logs"},
	{"", "instances/*/ssl", "certificates"},
	{"", "instances/*/modules", "modules"},
	{http.MethodDelete, "datastores/*", "changes of datastores"},
	{"", "datastores/versions/*/parameters", "configuration groups"},
	{"", "datastores/*/versions/*/parameters", "configuration groups"},
	{"", "datastores/*/versions/*/flavors", "flavors by datastore version"},
	{"", "datastores/*/versions/*/volume-types", "volume types by datastore version"},
}

// unservedAt is the fault of a call that Trove would answer; nil when Trove has no such call either.
func unservedAt(method string, segments []string) *fault {
	for _, row := range unserved {
		if (row.method == "" || row.method == method) && begins(segments, unservedSegments(row.path)) {
			return notOffered(row.what)
		}
	}
	return nil
}

func unservedSegments(path string) []string {
	segments := strings.Split("v1.0/*/"+path, "/")
	for i, segment := range segments {
		if segment == "*" {
			segments[i] = ""
		}
	}
	return segments
}

// begins says whether a path starts with these segments, of which an empty one stands for a parameter.
func begins(path, pattern []string) bool {
	return len(path) >= len(pattern) && route{segments: pattern}.matches(path[:len(pattern)])
}

func notOffered(what string) *fault {
	return &fault{code: http.StatusNotImplemented, message: "This service does not offer " + what + "."}
}
