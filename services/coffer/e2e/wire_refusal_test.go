package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// refusal is a call of a member of the project that must fail.
type refusal struct {
	method, path, body string
	headers            []string
	code               int
	key                string
	// says is in the sentence.
	says string
}

func (w *wire) refuses(t *testing.T) {
	all := w.wrongPlaces()
	maps.Copy(all, w.wrongBodies())
	maps.Copy(all, w.wrongActions())
	maps.Copy(all, w.wrongUpdates())
	for name, r := range all {
		headers := append([]string{"Content-Type", "application/json"}, r.headers...)
		got := w.user.raw(r.method, r.path, r.body, headers...)
		if !assert.Equal(t, r.code, got.code, "%s: %s", name, got.body) {
			continue
		}
		assert.Contains(t, messageOf(t, object(t, got, r.code), r.key), r.says, name)
		assert.Regexp(t, requestIDForm, got.header.Get("X-Openstack-Request-Id"), name)
		assert.Equal(t, got.header.Get("X-Openstack-Request-Id"), got.header.Get("X-Compute-Request-Id"), name)
		assert.Empty(t, got.header.Get("Coffer-Task-Id"), name)
	}
	head := w.user.raw(http.MethodHead, "/instances", "")
	assert.Equal(t, http.StatusNotFound, head.code)
	wrong := w.user.raw(http.MethodPatch, "/flavors", "")
	assert.Equal(t, "GET", wrong.header.Get("Allow"))
}

func (w *wire) wrongPlaces() map[string]refusal {
	get := func(path string, code int, key, says string) refusal {
		return refusal{method: http.MethodGet, path: path, code: code, key: key, says: says}
	}
	const notFound, missing = "itemNotFound", "could not be found"
	return map[string]refusal{
		"a name in place of an id":  get("/instances/first", 404, notFound, "first"),
		"an id in capitals":         get("/instances/"+strings.ToUpper(w.first.ID), 404, notFound, "cannot be found"),
		"nobody's id":               get("/instances/"+nobodysID, 404, notFound, nobodysID),
		"no such path":              get("/nothing", 404, notFound, missing),
		"a slash at the end":        get("/instances/", 404, notFound, missing),
		"an empty segment":          get("//instances", 404, notFound, missing),
		"no such flavor":            get("/flavors/99", 404, notFound, "99"),
		"no such datastore":         get("/datastores/oracle", 404, notFound, "oracle"),
		"no such version by name":   get("/datastores/mariadb/versions/1.0", 400, "badRequest", "1.0"),
		"no such version by id":     get("/datastores/mariadb/versions/"+nobodysID, 404, notFound, ""),
		"no such version, no store": get("/datastores/versions/"+nobodysID, 400, "badRequest", nobodysID),
		"no such task":              get("/tasks/"+nobodysID, 404, notFound, nobodysID),
		"a limit in words":          get("/instances?limit=ten", 400, "badRequest", "limit"),
		"a limit below nothing":     get("/instances?limit=-1", 400, "badRequest", "limit"),
		"an event that is no event": get("/events?after=yesterday", 400, "badRequest", "id of an event"),
		"backups":                   get("/backups", 501, "notImplemented", "does not offer backups"),
		"a member at management":    get("/mgmt/instances", 401, "unauthorized", "User does not have admin privileges."),
		"a member who manages":      get("/mgmt/instances/"+w.first.ID, 401, "unauthorized", "User does not have admin privileges."),
		"a method that is not":      {method: http.MethodPut, path: "/instances", body: `{}`, code: 405, key: "badMethod", says: "not allowed"},
		"a POST to an instance":     {method: http.MethodPost, path: "/instances/" + w.first.ID, body: `{}`, code: 405, key: "badMethod", says: "not allowed"},
		"an action got":             get("/instances/"+w.first.ID+"/action", 405, "badMethod", "not allowed"),
		"an action as a path":       {method: http.MethodPost, path: "/instances/" + w.first.ID + "/action:restart", body: `{}`, code: 404, key: notFound, says: missing},
		"delete of nobody's":        {method: http.MethodDelete, path: "/instances/" + nobodysID, code: 404, key: notFound, says: nobodysID},
		"delete by name":            {method: http.MethodDelete, path: "/instances/first", code: 404, key: notFound, says: "first"},
	}
}

func (w *wire) wrongBodies() map[string]refusal {
	post := func(body string, code int, key, says string, headers ...string) refusal {
		return refusal{method: http.MethodPost, path: "/instances", body: body, headers: headers, code: code, key: key, says: says}
	}
	create := func(fields, says string) refusal {
		return post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":1},`+fields+`}}`, 400, "badRequest", says)
	}
	const bad = "badRequest"
	return map[string]refusal{
		"no media type":             post(`{}`, 415, "badMediaType", "text/plain", "Content-Type", ""),
		"a form":                    post(`a=b`, 415, "badMediaType", "urlencoded", "Content-Type", "application/x-www-form-urlencoded"),
		"XML":                       post(`<a/>`, 415, "badMediaType", "application/xml", "Content-Type", "application/xml"),
		"half a body":               post(`{"instance":{"name":"n"`, 400, bad, "Malformed request body"),
		"not UTF-8":                 post("{\"instance\":{\"name\":\"\xff\"}}", 400, bad, "Malformed request body"),
		"a list":                    post(`[]`, 400, bad, "object"),
		"null":                      post(`null`, 400, bad, "object"),
		"no body":                   post(``, 400, bad, ""),
		"no instance":               post(`{}`, 400, bad, "'instance' is a required property"),
		"no name":                   post(`{"instance":{}}`, 400, bad, "'name' is a required property"),
		"a body beyond all size":    post(`{"instance":{"name":"`+strings.Repeat("n", 1<<20)+`"}}`, 413, "overLimit", "larger than 1048576 bytes"),
		"a body nested without end": post(strings.Repeat(`{"instance":`, 5000)+"1"+strings.Repeat("}", 5000), 400, bad, ""),
		"a number as a name":        post(`{"instance":{"name":5}}`, 400, bad, "instance['name'] 5 is not of type 'string'"),
		"a size in words":           post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":"big"}}}`, 400, bad, "instance['volume']['size'] 'big'"),
		"a volume of nothing":       post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":0}}}`, 400, bad, "instance['volume']['size'] 0 is less than the minimum of 1"),
		"no volume":                 post(`{"instance":{"name":"n","flavorRef":1}}`, 400, bad, "Volume size was not specified."),
		"no such flavor":            post(`{"instance":{"name":"n","flavorRef":99,"volume":{"size":1}}}`, 400, bad, "99"),
		"more than the largest":     post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":301}}}`, 413, "overLimit", "cannot exceed maximum of 300 GB"),
		"more than the quota":       post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":300}}}`, 413, "overLimit", "Quota exceeded"),
		"no such datastore":         post(`{"instance":{"name":"n","flavorRef":1,"volume":{"size":1},"datastore":{"type":"oracle"}}}`, 404, "itemNotFound", "Datastore 'oracle' cannot be found."),
		"no such version":           create(`"datastore":{"type":"mariadb","version":"1.0"}`, "Datastore version '1.0' cannot be found."),
		"a reserved user":           create(`"users":[{"name":"root","password":"x"}]`, "root"),
		"a reserved database":       create(`"databases":[{"name":"mysql"}]`, "mysql"),
		"the same database twice":   create(`"databases":[{"name":"shop"},{"name":"shop"}]`, "shop"),
		"a user of another's":       create(`"users":[{"name":"u","password":"x","databases":[{"name":"none"}]}]`, "none"),
		"a user without password":   create(`"users":[{"name":"u"}]`, "'password' is a required property"),
		"two networks":              create(`"nics":[{"network_id":"`+nobodysID+`"},{"network_id":"`+nobodysID+`"}]`, "nics"),
		"an unknown network":        create(`"nics":[{"network_id":"`+nobodysID+`"}]`, nobodysID),
		"an unknown key of a nic":   create(`"nics":[{"port-id":"`+nobodysID+`"}]`, "Additional properties are not allowed"),
		"a public address":          create(`"access":{"is_public":true}`, "provider 'local'"),
		"a closed address":          create(`"access":{"allowed_cidrs":["10.0.0.0/8"]}`, "provider 'local'"),
		"no address at all":         create(`"access":{"allowed_cidrs":["300.0.0.0/8"]}`, "300.0.0.0/8"),
		"different hosts":           create(`"locality":"anti-affinity"`, "provider 'local'"),
		"an unknown zone":           create(`"availability_zone":"moon"`, "moon"),
		"replicas of nothing":       create(`"replica_count":2`, "Replica count"),
	}
}

func (w *wire) wrongActions() map[string]refusal {
	act := func(body string, code int, key, says string) refusal {
		return refusal{method: http.MethodPost, path: "/instances/" + w.first.ID + "/action", body: body, code: code, key: key, says: says}
	}
	const bad, invalid = "badRequest", "Invalid request body."
	return map[string]refusal{
		"an action of nothing":      act(``, 400, bad, invalid),
		"an empty action":           act(`{}`, 400, bad, invalid),
		"an action in a list":       act(`["restart"]`, 400, bad, invalid),
		"two actions":               act(`{"restart":{},"resize":{}}`, 400, bad, invalid),
		"an action nobody knows":    act(`{"explode":{}}`, 400, bad, invalid),
		"an action in capitals":     act(`{"Restart":{}}`, 400, bad, invalid),
		"an action with a number":   act(`{"restart":1}`, 400, bad, "not of type 'object'"),
		"half an action":            act(`{"restart":{}`, 400, bad, "Malformed request body"),
		"a resize of nothing":       act(`{"resize":{}}`, 400, bad, invalid),
		"a resize of both":          act(`{"resize":{"flavorRef":"2","volume":{"size":2}}}`, 400, bad, invalid),
		"a resize by our verb":      act(`{"resize_flavor":{"flavorRef":"2"}}`, 400, bad, invalid),
		"a flavor that it has":      act(`{"resize":{"flavorRef":1}}`, 400, bad, "must be different than the current flavor id of '1'"),
		"a promotion of no replica": act(`{"promote_to_replica_source":null}`, 400, bad, "is not a replica"),
		"an ejection of no source":  act(`{"eject_replica_source":null}`, 400, bad, "is not a replica source"),
		"a reset by a member":       act(`{"reset_status":{}}`, 403, "forbidden", "instance:reset_status"),
		"a member's reboot":         {method: http.MethodPost, path: "/mgmt/instances/" + w.first.ID + "/action", body: `{"reboot":{}}`, code: 401, key: "unauthorized", says: "admin"},
		"an action on nobody's":     {method: http.MethodPost, path: "/instances/" + nobodysID + "/action", body: `{"restart":{}}`, code: 404, key: "itemNotFound", says: nobodysID},
		"an action on a name":       {method: http.MethodPost, path: "/instances/first/action", body: `{"restart":{}}`, code: 404, key: "itemNotFound", says: "first"},
		"a cancel of what is over":  {method: http.MethodDelete, path: "/tasks/" + w.createTask(), code: 422, key: "unprocessableEntity", says: "ended"},
	}
}

func (w *wire) wrongUpdates() map[string]refusal {
	const bad = "badRequest"
	all := map[string]refusal{}
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		update := func(body string, code int, key, says string) refusal {
			return refusal{method: method, path: "/instances/" + w.first.ID, body: body, code: code, key: key, says: says}
		}
		maps.Copy(all, map[string]refusal{
			method + " of nothing":             update(`{}`, 400, bad, "'instance' is a required property"),
			method + " of null":                update(`{"instance":null}`, 400, bad, ""),
			method + " of a key that is none":  update(`{"instance":{"colour":"blue"}}`, 400, bad, "'colour' was unexpected"),
			method + " of two":                 update(`{"instance":{"replica_of":"","configuration":null}}`, 400, bad, "Only one attribute (except 'name')"),
			method + " of no name":             update(`{"instance":{"name":null}}`, 400, bad, "instance['name']"),
			method + " of an empty name":       update(`{"instance":{"name":""}}`, 400, bad, "name"),
			method + " of an unknown group":    update(`{"instance":{"configuration":"`+nobodysID+`"}}`, 404, "itemNotFound", nobodysID),
			method + " of a group by name":     update(`{"instance":{"configuration":"fast"}}`, 404, "itemNotFound", "fast"),
			method + " of what is no replica":  update(`{"instance":{"replica_of":null}}`, 400, bad, "is not a replica"),
			method + " to an unknown version":  update(`{"instance":{"datastore_version":"1.0"}}`, 400, bad, "1.0"),
			method + " to a version of nobody": update(`{"instance":{"datastore_version":"`+nobodysID+`"}}`, 404, "itemNotFound", nobodysID),
			method + " to no version":          update(`{"instance":{"datastore_version":null}}`, 400, bad, "datastore_version"),
			method + " of a name's":            {method: method, path: "/instances/first", body: `{"instance":{"name":"n"}}`, code: 404, key: "itemNotFound", says: "first"},
		})
	}
	all["PATCH of access"] = refusal{method: http.MethodPatch, path: "/instances/" + w.first.ID, body: `{"instance":{"access":{}}}`, code: 400, key: bad, says: "'access' was unexpected"}
	all["PUT of public access"] = refusal{method: http.MethodPut, path: "/instances/" + w.first.ID, body: `{"instance":{"access":{"is_public":true}}}`, code: 400, key: bad, says: "provider 'local'"}
	return all
}

// createTask is the id of the task that made the first instance.
func (w *wire) createTask() string {
	var tasks struct{ Tasks []task }
	decode(w.t, w.user.call(http.MethodGet, "/tasks?action=create_instance&instance_id="+w.first.ID, nil), &tasks)
	return tasks.Tasks[0].ID
}
