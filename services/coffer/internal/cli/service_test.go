package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	shopID = "0d7a1a5b-5b7c-4b3f-9d0e-3c2f7f1f0a11"
	copyID = "1e8b2b6c-6c8d-4c40-8e1f-4d308f201b22"
	taskID = "3f9c3c7d-7d9e-4d51-9f20-5e419f312c33"
)

// service is one that is not Coffer: it has no tasks and no events.
type service struct {
	*httptest.Server
	t   *testing.T
	mux *http.ServeMux
	// heard are the requests that change something.
	heard []string
	// plan is its answer to dry runs; empty when it does not know of them.
	plan string
}

// newTrove is a Trove with the instance shop and its replica copy, to which the environment points.
func newTrove(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /v3/auth/tokens", s.signIn)
	shop := `{"id":"` + shopID + `","name":"shop","status":"ACTIVE","datastore":{"type":"mariadb","version":"10.11"},
		"flavor":{"id":"1"},"volume":{"size":1},"ip":["10.0.0.5"],"replicas":[{"id":"` + copyID + `"}],
		"access":{"is_public":true,"allowed_cidrs":["192.0.2.0/24"]}}`
	replica := `{"id":"` + copyID + `","name":"copy","status":"ACTIVE","datastore":{"type":"mariadb","version":"10.11"},
		"flavor":{"id":"1"},"volume":{"size":1},"ip":["10.0.0.6"],"replica_of":{"id":"` + shopID + `"},"access":{},
		"fault":{"message":"It does not follow.","created":"2026-08-14T09:03:00"}}`
	s.answer("GET /v1.0/p/instances", http.StatusOK, `{"instances":[`+shop+`,`+replica+`]}`)
	s.answer("POST /v1.0/p/instances", http.StatusOK, `{"instance":`+shop+`}`)
	s.answer("POST /v1.0/p/instances/action", http.StatusOK, `{"results":[{"result":"success","instance":"`+shopID+`"},
		{"result":"failed","instance":"`+copyID+`"}]}`)
	for id, shown := range map[string]string{shopID: shop, copyID: replica} {
		s.answer("GET /v1.0/p/instances/"+id, http.StatusOK, `{"instance":`+shown+`}`)
		s.answer("PUT /v1.0/p/instances/"+id, http.StatusAccepted, "")
		s.answer("PATCH /v1.0/p/instances/"+id, http.StatusAccepted, "")
		s.answer("POST /v1.0/p/instances/"+id+"/action", http.StatusAccepted, "")
		s.answer("POST /v1.0/p/mgmt/instances/"+id+"/action", http.StatusAccepted, "")
		s.answer("GET /v1.0/p/mgmt/instances/"+id, http.StatusOK, `{"instance":`+shown+`}`)
	}
	s.answer("DELETE /v1.0/p/instances/"+shopID, http.StatusUnprocessableEntity,
		`{"unprocessableEntity":{"code":422,"message":"Instance is protected."}}`)
	s.answer("DELETE /v1.0/p/instances/"+copyID, http.StatusAccepted, "")
	s.answer("GET /v1.0/p/instances/"+shopID+"/backups", http.StatusOK, `{"backups":[{"id":"b1","name":"nightly","status":"COMPLETED"}]}`)
	s.answer("GET /v1.0/p/instances/"+shopID+"/configuration", http.StatusOK,
		`{"instance":{"configuration":{"max_connections":"100","innodb_buffer_pool_size":"300M"}}}`)
	s.answer("GET /v1.0/p/mgmt/instances", http.StatusOK, `{"instances":[`+shop+`]}`)
	s.answer("POST /v1/p/instances/"+shopID+"/action", http.StatusConflict,
		`{"errCode":"DBS.200047","externalMessage":"Instance is busy."}`)
	s.answer("GET /v1.0/p/flavors", http.StatusOK, `{"flavors":[{"id":1,"str_id":"1","name":"db.tiny"}]}`)
	s.Server = httptest.NewServer(s.mux)
	t.Cleanup(s.Close)

	for name, value := range map[string]string{
		"OS_AUTH_URL": s.URL + "/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "p",
		"OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": "R",
		"OS_CLOUD": "", "OS_CLIENT_CONFIG_FILE": "",
	} {
		t.Setenv(name, value)
	}
	return s
}

// newCoffer is the same with tasks.
func newCoffer(t *testing.T) *service {
	t.Helper()
	s := newTrove(t)
	s.answer("GET /v1.0/p/tasks", http.StatusOK, `{"tasks":[]}`)
	s.answer("DELETE /v1.0/p/tasks/"+taskID, http.StatusAccepted, "")
	s.answer("GET /v1.0/p/events", http.StatusOK, "")
	s.answer("GET /v1.0/p/tasks/"+taskID, http.StatusOK,
		`{"task":{"id":"`+taskID+`","action":"restart_instance","status":"CANCELLED","steps":[]}}`)
	return s
}

func (s *service) signIn(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Subject-Token", "t")
	w.WriteHeader(http.StatusCreated)
	_, err := fmt.Fprintf(w, `{"token":{"expires_at":"2999-01-01T00:00:00.000000Z","project":{"id":"p"},"catalog":[
		{"type":"database","endpoints":[{"interface":"public","region":"R","region_id":"R","url":"%s/v1.0/p"}]}]}}`, s.URL)
	assert.NoError(s.t, err)
}

// answer says how a call is always answered.
func (s *service) answer(pattern string, code int, body string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			s.hear(r)
		}
		code, body := code, body
		if s.plan != "" && r.URL.Query().Get("dry_run") == "true" {
			code, body = http.StatusOK, s.plan
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, err := fmt.Fprint(w, body)
		assert.NoError(s.t, err)
	})
}

func (s *service) hear(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.heard = append(s.heard, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
}
