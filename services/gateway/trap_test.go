package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// The traps into which a plain grpc-gateway with protojson falls, by the numbers of the contract's list. Those about
// the form of answers (1, 2, 6, 9 to 12) are held by the golden answers.

func createdWith(t *testing.T, body string) *instancev1.NewInstance {
	t.Helper()
	fake := cannedAPI()
	answer := play(handler(t, fake), request(http.MethodPost, inProject("/instances"), body))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	created, ok := fake.requests[0].(*instancev1.CreateInstanceRequest)
	require.True(t, ok)
	return created.GetInstance()
}

func TestTheActionIsTheKeyThatIsThere(t *testing.T) { // Trap 3.
	for body, code := range map[string]int{
		`{"restart": {}}`:                  http.StatusAccepted,
		`{"restart": null}`:                http.StatusAccepted,
		` { "restart" : { "later": 1 } } `: http.StatusAccepted,
		`{"restart": 5}`:                   http.StatusBadRequest,
		`{"restart": []}`:                  http.StatusBadRequest,
		`{}`:                               http.StatusBadRequest,
		``:                                 http.StatusBadRequest,
		`null`:                             http.StatusBadRequest,
		`["restart"]`:                      http.StatusBadRequest,
		`"restart"`:                        http.StatusBadRequest,
		`{"restart": {}, "resize": {}}`:    http.StatusBadRequest,
		`{"Restart": {}}`:                  http.StatusBadRequest,
		`{"restart": {}`:                   http.StatusBadRequest,
	} {
		fake := cannedAPI()
		answer := play(handler(t, fake), request(http.MethodPost, inProject("/instances/"+instanceID+"/action"), body))
		assert.Equal(t, code, answer.Code, "%s: %s", body, answer.Body)
		assert.Len(t, fake.requests, map[bool]int{true: 1, false: 0}[code == http.StatusAccepted], body)
	}
}

func TestMissingNullAndAValueAreKeptApart(t *testing.T) { // Trap 4.
	assert.Nil(t, createdWith(t, `{"instance":{"name":"a"}}`).GetConfiguration())
	null := createdWith(t, `{"instance":{"name":"a","configuration":null}}`).GetConfiguration()
	assert.IsType(t, &structpb.Value_NullValue{}, null.GetKind())
	assert.Equal(t, "c", createdWith(t, `{"instance":{"name":"a","configuration":"c"}}`).GetConfiguration().GetStringValue())
	assert.Nil(t, createdWith(t, `{"instance":{"name":"a","replica_of":null}}`).ReplicaOf)
}

func TestNumbersMayComeAsText(t *testing.T) { // Trap 5.
	asNumber := createdWith(t, `{"instance":{"name":"a","flavorRef":6,"volume":{"size":2}}}`)
	assert.InDelta(t, 6, asNumber.GetFlavorRef().GetNumberValue(), 0)
	assert.InDelta(t, 2, asNumber.GetVolume().GetSize().GetNumberValue(), 0)
	asText := createdWith(t, `{"instance":{"name":"a","flavorRef":"6","volume":{"size":"2"}}}`)
	assert.Equal(t, "6", asText.GetFlavorRef().GetStringValue())
	assert.Equal(t, "2", asText.GetVolume().GetSize().GetStringValue())
}

func TestKeysAreTrovesAlone(t *testing.T) { // Traps 6 and 7.
	made := createdWith(t, `{"instance":{"name":"a","flavor_ref":1,"flavorRef":2,"nics":[{"net-id":"n"}]}}`)
	assert.InDelta(t, 2, made.GetFlavorRef().GetNumberValue(), 0)
	assert.Equal(t, "n", made.GetNics()[0].GetNetId())
}

func TestUnknownKeysAreIgnoredUnlessTheSchemaIsClosed(t *testing.T) { // Trap 8.
	assert.Equal(t, "a", createdWith(t, `{"instance":{"name":"a","slave_of":{"x":[1]}},"extra":1,"project_id":7}`).GetName())
	answer := play(handler(t, cannedAPI()), request(http.MethodPost, inProject("/instances"),
		`{"instance":{"name":"a","nics":[{"network_id":"n","port-id":"p"}]}}`))
	assert.Equal(t, http.StatusBadRequest, answer.Code)
	assert.Contains(t, answer.Body.String(), "Additional properties are not allowed")
}

func TestQueriesAreReadLeniently(t *testing.T) { // Trap 17.
	fake := cannedAPI()
	answer := play(handler(t, fake), request(http.MethodGet,
		inProject("/instances?include_clustered=False&deleted=True&limit=1&limit=&marker=a&project_id=other&marker=b"), ""))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	asked, ok := fake.requests[0].(*instancev1.ListInstancesRequest)
	require.True(t, ok)
	assert.Equal(t, "False", asked.GetIncludeClustered())
	assert.Empty(t, asked.GetLimit())
	assert.Equal(t, "b", asked.GetMarker())
	assert.Equal(t, project, asked.GetProjectId())
}

func TestASegmentIsDecodedOnce(t *testing.T) { // Trap 18.
	for path, id := range map[string]string{
		"/tasks/a%2eb":              "a.b",
		"/tasks/joe%40%31%30.0.%25": "joe@10.0.%",
		"/tasks/%252e":              "%2e",
		"/tasks/100%25":             "100%",
		"/tasks/x.json":             "x",
		"/tasks/joe%2ejson":         "joe.json",
		"/tasks/x.json.json":        "x.json",
		"/tasks/a%2Fb":              "a/b",
	} {
		fake := cannedAPI()
		answer := play(handler(t, fake), request(http.MethodGet, inProject(path), ""))
		require.Equal(t, http.StatusOK, answer.Code, path)
		asked, ok := fake.requests[0].(*taskv1.GetTaskRequest)
		require.True(t, ok)
		assert.Equal(t, id, asked.GetTaskId(), path)
	}
}

func TestTheSuffixJSONIsIgnored(t *testing.T) {
	door := handler(t, cannedAPI())
	for _, path := range []string{"/instances.json", "/instances/detail.json", "/instances/" + instanceID + ".json", "/limits.json"} {
		assert.Equal(t, http.StatusOK, play(door, request(http.MethodGet, inProject(path), "")).Code, path)
	}
	restart := play(door, request(http.MethodPost, inProject("/instances/"+instanceID+"/action.json"), `{"restart":{}}`))
	assert.Equal(t, http.StatusAccepted, restart.Code)
}

func TestACallerCannotNameWhoItIs(t *testing.T) { // Trap 19.
	fake := cannedAPI()
	r := request(http.MethodGet, inProject("/instances"), "")
	for _, header := range []string{
		"Grpc-Metadata-X-Roles", "Grpc-Metadata-X-Auth-Token", "X-Project-Id", "X-Roles", "X-User-Id", "X-Tenant-Id",
		"Authorization", "Grpc-Timeout", "X-Http-Method-Override",
	} {
		r.Header.Set(header, "admin")
	}
	r.Header.Set("Idempotency-Key", "once")
	r.Header.Set("X-Service-Token", "of a service")
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	answer := play(handler(t, fake), r)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	for key := range fake.metadata[0] {
		assert.Contains(t, []string{
			"x-auth-token", "x-service-token", "x-request-id", "idempotency-key", "traceparent", "x-forwarded-for", "x-forwarded-host",
		}, key)
	}
	assert.Equal(t, []string{goodToken}, fake.metadata[0].Get("x-auth-token"))
	assert.Equal(t, []string{"of a service"}, fake.metadata[0].Get("x-service-token"))
	assert.Equal(t, []string{"once"}, fake.metadata[0].Get("idempotency-key"))
}

func TestAPostStaysAPost(t *testing.T) { // Trap 20.
	fake := cannedAPI()
	r := request(http.MethodPost, inProject("/instances/"+instanceID), "a=b")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Http-Method-Override", "DELETE")
	assert.Equal(t, http.StatusUnsupportedMediaType, play(handler(t, fake), r).Code)
	r = request(http.MethodPost, inProject("/instances/"+instanceID), "")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Http-Method-Override", "DELETE")
	assert.Equal(t, http.StatusMethodNotAllowed, play(handler(t, fake), r).Code)
	assert.Empty(t, fake.requests)
}

func TestEveryAnswerCarriesItsRequestID(t *testing.T) {
	const own = "req-2f0ed2a5-0e54-4c8f-8cf5-b3ed2e8d7f3c"
	fake := cannedAPI()
	door := handler(t, fake)
	for _, path := range []string{"/", "/healthcheck", "/nowhere", inProject("/nowhere"), inProject("/instances")} {
		r := request(http.MethodGet, path, "")
		r.Header.Set("X-Openstack-Request-Id", own)
		answer := play(door, r)
		assert.Equal(t, own, answer.Header().Get("X-Openstack-Request-Id"), path)
		assert.Equal(t, own, answer.Header().Get("X-Compute-Request-Id"), path)
	}
	assert.Equal(t, []string{own}, fake.metadata[0].Get("x-request-id"))
	for _, foreign := range []string{"", "req-", "2f0ed2a5-0e54-4c8f-8cf5-b3ed2e8d7f3c", "req-{2f0ed2a5-0e54-4c8f-8cf5-b3ed2e8d7f3c}", "req-x\r\n"} {
		r := request(http.MethodGet, "/", "")
		r.Header.Set("X-Openstack-Request-Id", foreign)
		made := play(door, r).Header().Get("X-Openstack-Request-Id")
		assert.Regexp(t, `^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, made)
		assert.NotEqual(t, foreign, made)
	}
}

func TestOptionsIsAnsweredAndHeadIsNot(t *testing.T) {
	door := handler(t, cannedAPI())
	options := play(door, request(http.MethodOptions, inProject("/instances"), ""))
	assert.Equal(t, http.StatusOK, options.Code)
	assert.Empty(t, options.Body)
	assert.Equal(t, http.StatusNotFound, play(door, request(http.MethodHead, inProject("/instances"), "")).Code)
}

func TestThereIsNoBodyWhereThereIsNone(t *testing.T) { // Trap 11.
	server := httptest.NewServer(handler(t, cannedAPI()))
	defer server.Close()
	r := request(http.MethodDelete, server.URL+inProject("/instances/"+instanceID), "")
	r.RequestURI = ""
	answer, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusAccepted, answer.StatusCode)
	assert.Zero(t, answer.ContentLength)
	assert.Empty(t, answer.TransferEncoding)
}

func TestABodyOnAGetIsIgnored(t *testing.T) {
	answer := play(handler(t, cannedAPI()), request(http.MethodGet, inProject("/instances"), strings.Repeat("{", 100)))
	assert.Equal(t, http.StatusOK, answer.Code)
}
