package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ddmAnswer is DDM's to a restart.
type ddmAnswer struct {
	InstanceID, InstanceName, JobID string
}

// address is that of a path of a project in one of DDM's versions.
func (s *site) address(version, path string) string {
	return "http://" + s.listen + "/" + version + "/" + s.user.projectID + path
}

func (s *site) ddm(body any, headers ...string) ddmAnswer {
	s.t.Helper()
	got := s.user.call(http.MethodPost, s.address("v1", "/instances/"+s.id+"/action"), body, headers...)
	require.Equal(s.t, http.StatusOK, got.code, string(got.body))
	var told ddmAnswer
	decode(s.t, got, &told)
	assert.Equal(s.t, s.id, told.InstanceID)
	assert.Equal(s.t, "kept", told.InstanceName)
	assert.Regexp(s.t, uuidForm, told.JobID)
	return told
}

func testDDMRestart(s *site) {
	action := s.address("v1", "/instances/"+s.id+"/action")
	database, agent := s.host().pidOf(s.datastore.program), s.host().pidOf("coffer-guestagent")
	from := time.Now().Add(-time.Hour).UnixMilli()
	again := []string{"X-Openstack-Request-Id", "req-" + nobodysID}
	soft := s.ddm(map[string]any{"restart": map[string]any{"type": "soft"}}, again...)
	assert.Equal(s.t, soft, s.ddm(map[string]any{"restart": map[string]any{"type": "soft"}}, again...), "the same call is the same job")
	busy := s.user.call(http.MethodPost, action, map[string]any{"restart": map[string]any{}})
	if !s.user.task(soft.JobID).ended() {
		assertDDM(s.t, busy, http.StatusConflict, "DBS.200047")
	}
	s.user.awaitSuccess(soft.JobID)
	for _, version := range []string{"v1", "v3"} {
		job := objectIn(s.t, object(s.t, s.user.call(http.MethodGet, s.address(version, "/jobs/"+soft.JobID), nil), http.StatusOK), "job")
		assert.Equal(s.t, soft.JobID, job["id"])
		assert.Equal(s.t, "RestartInstance", job["name"])
		assert.Equal(s.t, "Completed", job["status"])
		assert.Equal(s.t, map[string]any{"id": s.id, "name": "kept"}, job["instance"])
		assert.Regexp(s.t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$`, job["end_time"])
		list := object(s.t, s.user.call(http.MethodGet, s.address(version, fmt.Sprintf(
			"/jobs?start_time=%d&end_time=%d&limit=1&name=RestartInstance", from, time.Now().Add(time.Hour).UnixMilli())), nil), http.StatusOK)
		require.Len(s.t, listOf(s.t, list, "jobs"), 1)
	}
	assert.NotEqual(s.t, database, s.host().pidOf(s.datastore.program))
	assert.Equal(s.t, agent, s.host().pidOf("coffer-guestagent"), "the server goes on")

	for _, body := range []string{"", "{}", `{"restart":null}`, `{"restart":{"type":null}}`} {
		s.user.awaitIdle(s.id)
		got := s.user.raw(http.MethodPost, action, body, "Content-Type", "")
		require.Equal(s.t, http.StatusOK, got.code, "%s: %s", body, got.body)
		s.user.awaitSuccess(taskOf(s.t, got))
	}
	hard := s.ddm(map[string]any{"restart": map[string]any{"type": "hard"}})
	s.user.awaitSuccess(hard.JobID)
	assert.NotEqual(s.t, agent, s.host().pidOf("coffer-guestagent"), "the server started anew")
	s.refusesDDM(action)
}

// refusesDDM holds that every failure is told in DDM's own words.
func (s *site) refusesDDM(action string) {
	for name, c := range map[string]struct {
		method, address, body string
		headers               []string
		code                  int
		says                  string
	}{
		"another type":        {http.MethodPost, action, `{"restart":{"type":"Soft"}}`, nil, 400, "DBS.280001"},
		"another action":      {http.MethodPost, action, `{"restart":{},"stop":{}}`, nil, 400, "DBS.280001"},
		"no JSON":             {http.MethodPost, action, `{"restart"`, nil, 400, "DBS.280001"},
		"a list":              {http.MethodPost, action, `{"restart":[]}`, nil, 400, "DBS.280001"},
		"no token":            {http.MethodPost, action, `{}`, []string{"X-Auth-Token", ""}, 401, "DBS.200010"},
		"nobody's":            {http.MethodPost, strings.ReplaceAll(action, s.id, nobodysID), `{}`, nil, 404, "DBS.200002"},
		"an id of DDM's own":  {http.MethodPost, strings.ReplaceAll(action, s.id, "4aaa0cf8bd2e40719b2d4e2c0a1f1b10in09"), `{}`, nil, 404, "DBS.200002"},
		"another method":      {http.MethodGet, action, ``, nil, 405, "DBS.300005"},
		"no such path":        {http.MethodGet, s.address("v1", "/nothing"), ``, nil, 404, "DBS.300005"},
		"a job that is not":   {http.MethodGet, s.address("v3", "/jobs/"+nobodysID), ``, nil, 400, "DBS.300400"},
		"jobs without bounds": {http.MethodGet, s.address("v3", "/jobs"), ``, nil, 400, "DBS.280001"},
		"a foreign project":   {http.MethodPost, strings.ReplaceAll(action, s.user.projectID, s.admin.projectID), `{}`, nil, 403, "DBS.200044"},
	} {
		got := s.user.raw(c.method, c.address, c.body, append([]string{"Content-Type", "application/json"}, c.headers...)...)
		s.t.Log(name)
		assertDDM(s.t, got, c.code, c.says)
	}
	reader := s.signIn("coffer-reader")
	assertDDM(s.t, reader.raw(http.MethodPost, action, `{}`), http.StatusForbidden, "DBS.200044")
}

func assertDDM(t *testing.T, got answer, code int, errCode string) {
	t.Helper()
	require.Equal(t, code, got.code, string(got.body))
	fault := object(t, got, code)
	assert.Equal(t, errCode, fault["errCode"])
	assert.NotEmpty(t, fault["externalMessage"])
	assert.Len(t, fault, 2)
}
