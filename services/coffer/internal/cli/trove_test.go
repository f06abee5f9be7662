package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const shopID = "0d7a1a5b-5b7c-4b3f-9d0e-3c2f7f1f0a11"

// trove is a service that is not Coffer: it has no tasks and no events.
type trove struct {
	*httptest.Server
	// heard are the requests that change something.
	heard []string
}

func newTrove(t *testing.T) *trove {
	t.Helper()
	s := &trove{}
	mux := http.NewServeMux()
	answer := func(pattern string, code int, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				var sent any
				if r.ContentLength > 0 && !assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent)) {
					return
				}
				text, err := json.Marshal(sent)
				assert.NoError(t, err)
				s.heard = append(s.heard, r.Method+" "+r.URL.Path+" "+string(text))
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, err := fmt.Fprint(w, body)
			assert.NoError(t, err)
		})
	}
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "t")
		w.WriteHeader(http.StatusCreated)
		_, err := fmt.Fprintf(w, `{"token":{"expires_at":"2999-01-01T00:00:00.000000Z","project":{"id":"p"},"catalog":[
			{"type":"database","endpoints":[{"interface":"public","region":"R","region_id":"R","url":"%s/v1.0/p"}]}]}}`, s.URL)
		assert.NoError(t, err)
	})
	shop := `{"id":"` + shopID + `","name":"shop","status":"ACTIVE","datastore":{"type":"mariadb","version":"10.11"},
		"flavor":{"id":"1"},"volume":{"size":1},"ip":["10.0.0.5"]}`
	answer("GET /v1.0/p/instances", http.StatusOK, `{"instances":[`+shop+`]}`)
	answer("GET /v1.0/p/instances/"+shopID, http.StatusOK, `{"instance":`+shop+`}`)
	answer("POST /v1.0/p/instances", http.StatusOK, `{"instance":`+shop+`}`)
	answer("POST /v1.0/p/instances/"+shopID+"/action", http.StatusAccepted, "")
	answer("DELETE /v1.0/p/instances/"+shopID, http.StatusUnprocessableEntity,
		`{"unprocessableEntity":{"code":422,"message":"Instance is protected."}}`)
	answer("GET /v1.0/p/flavors", http.StatusOK, `{"flavors":[{"id":1,"str_id":"1","name":"db.tiny"}]}`)
	s.Server = httptest.NewServer(mux)
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

func TestInstancesOfAnyTroveAreListedAndShown(t *testing.T) {
	newTrove(t)
	code, said, problems := run(t, "instance", "list")
	require.Zero(t, code, problems)
	assert.Contains(t, said, shopID)

	code, said, problems = run(t, "instance", "show", "shop")
	require.Zero(t, code, problems)
	assert.Contains(t, said, "mariadb -h 10.0.0.5 -u USER -p\n")

	code, said, problems = run(t, "instance", "show", "shop", "-o", "json")
	require.Zero(t, code, problems)
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(said), &shown))
	assert.Equal(t, "shop", shown["name"])
}

func TestWaitingWorksWithoutTasks(t *testing.T) {
	service := newTrove(t)
	code, said, problems := run(t, "instance", "create", "shop", "--flavor", "db.tiny", "--size", "1", "--wait")
	require.Zero(t, code, problems)
	assert.Contains(t, said, "ACTIVE")
	code, _, problems = run(t, "instance", "restart", "shop", "--wait")
	require.Zero(t, code, problems)
	assert.Equal(t, []string{
		`POST /v1.0/p/instances {"instance":{"flavorRef":"1","name":"shop","volume":{"size":1}}}`,
		`POST /v1.0/p/instances/` + shopID + `/action {"restart":{}}`,
	}, service.heard)
}

func TestARefusalIsToldInTheServicesOwnWords(t *testing.T) {
	newTrove(t)
	code, _, problems := run(t, "instance", "delete", "shop")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "Instance is protected. (HTTP 422)")

	code, _, problems = run(t, "instance", "create", "x", "--flavor", "db.huge", "--size", "1")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, `no flavor has the id or the name "db.huge"`)
}

func TestAMadeUpPasswordIsToldBesideTheAnswer(t *testing.T) {
	newTrove(t)
	code, said, problems := run(t, "instance", "create", "shop", "--flavor", "1", "--size", "1", "--user", "keeper", "-o", "json")
	require.Zero(t, code)
	assert.Contains(t, problems, "password of keeper: ")
	assert.True(t, json.Valid([]byte(said)), said)
}
