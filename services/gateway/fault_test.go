package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

type faultBody struct {
	Code       int    `json:"code"`
	Message    string `json:"message"`
	Title      string `json:"title"`
	Details    string `json:"details"`
	RetryAfter string `json:"retryAfter"`
}

// faultIn is the one key of a fault and what stands under it.
func faultIn(t *testing.T, body []byte) (string, faultBody) {
	t.Helper()
	var whole map[string]faultBody
	require.NoError(t, json.Unmarshal(body, &whole), "%s", body)
	require.Len(t, whole, 1)
	for key, fault := range whole {
		return key, fault
	}
	return "", faultBody{}
}

func TestEveryKindHasItsCodeAndKey(t *testing.T) {
	for kind, want := range map[errs.Kind]struct {
		code int
		key  string
	}{
		errs.Invalid:     {http.StatusBadRequest, "badRequest"},
		errs.Forbidden:   {http.StatusForbidden, "forbidden"},
		errs.NotFound:    {http.StatusNotFound, "itemNotFound"},
		errs.Conflict:    {http.StatusConflict, "conflict"},
		errs.OverQuota:   {http.StatusRequestEntityTooLarge, "overLimit"},
		errs.WrongState:  {http.StatusUnprocessableEntity, "unprocessableEntity"},
		errs.Unsupported: {http.StatusNotImplemented, "notImplemented"},
		errs.Unavailable: {http.StatusServiceUnavailable, "serviceUnavailable"},
	} {
		fake := cannedAPI()
		fake.fail = errs.New(kind, "SOME_REASON", `A "sentence".`)
		answer := play(handler(t, fake), request(http.MethodGet, inProject("/instances/x"), ""))
		assert.Equal(t, want.code, answer.Code)
		key, fault := faultIn(t, answer.Body.Bytes())
		assert.Equal(t, want.key, key)
		assert.Equal(t, want.code, fault.Code)
		assert.Equal(t, `A "sentence".`, fault.Message)
		assert.Equal(t, kind == errs.Unavailable, answer.Header().Get("Retry-After") != "")
		assert.Zero(t, fake.checks, "a service's own answer is not asked about")
	}
}

func TestAnInternalErrorShowsNothingButAnID(t *testing.T) {
	for _, failure := range []error{
		errors.New("dial 10.0.0.1: hunter2"),
		errs.New(errs.Internal, "R", "hunter2"),
		status.Error(codes.DataLoss, "hunter2"),
		status.Error(codes.Unavailable, "connection error: hunter2"),
		status.Error(codes.Unimplemented, "unknown service hunter2"),
	} {
		fake := cannedAPI()
		fake.fail = failure
		answer := play(handler(t, fake), request(http.MethodGet, inProject("/instances/x"), ""))
		assert.GreaterOrEqual(t, answer.Code, http.StatusInternalServerError)
		assert.NotContains(t, answer.Body.String(), "hunter2")
		if answer.Code == http.StatusInternalServerError {
			key, fault := faultIn(t, answer.Body.Bytes())
			assert.Equal(t, "instanceFault", key)
			assert.Contains(t, fault.Message, "("+strings.TrimPrefix(answer.Header().Get("X-Openstack-Request-Id"), "req-")+")")
		}
	}
}

func TestA401IsKeystonesForABadTokenAndTrovesForAMember(t *testing.T) {
	fake := cannedAPI()
	fake.fail = errs.New(errs.Unauthenticated, "NOT_ADMIN", "User does not have admin privileges.")
	member := play(handler(t, fake), request(http.MethodGet, inProject("/instances"), ""))
	key, _ := faultIn(t, member.Body.Bytes())
	assert.Equal(t, "unauthorized", key)
	assert.Equal(t, http.StatusUnauthorized, member.Code)
	assert.Equal(t, `Keystone uri="https://db.example.org/identity"`, member.Header().Get("Www-Authenticate"))

	r := request(http.MethodGet, inProject("/instances"), "")
	r.Header.Set("X-Auth-Token", "bad")
	stranger := play(handler(t, fake), r)
	key, fault := faultIn(t, stranger.Body.Bytes())
	assert.Equal(t, "error", key)
	assert.Equal(t, "Unauthorized", fault.Title)
	assert.Equal(t, `Keystone uri="https://db.example.org/identity"`, stranger.Header().Get("Www-Authenticate"))
}

// wrong are requests that the gateway refuses by itself.
func wrong() map[string]struct {
	request *http.Request
	code    int
} {
	action := inProject("/instances/" + instanceID + "/action")
	typed := func(contentType, body string) *http.Request {
		r := request(http.MethodPost, inProject("/instances"), body)
		r.Header.Set("Content-Type", contentType)
		if contentType == "" {
			r.Header.Del("Content-Type")
		}
		return r
	}
	post := func(body string) *http.Request { return request(http.MethodPost, inProject("/instances"), body) }
	get := func(path string) *http.Request { return request(http.MethodGet, path, "") }
	return map[string]struct {
		request *http.Request
		code    int
	}{
		"no such route":           {get(inProject("/nothing")), http.StatusNotFound},
		"project alone":           {get(inProject("")), http.StatusNotFound},
		"trailing slash":          {get(inProject("/instances/")), http.StatusNotFound},
		"empty segment":           {get(inProject("//instances")), http.StatusNotFound},
		"a verb from outside":     {request(http.MethodPost, action+":restart", "{}"), http.StatusNotFound},
		"an escaped verb":         {request(http.MethodPost, action+"%3Arestart", "{}"), http.StatusNotFound},
		"no UTF-8 in the path":    {get(inProject("/instances/%ff")), http.StatusNotFound},
		"NUL in the path":         {get(inProject("/instances/%00")), http.StatusNotFound},
		"no UTF-8 in the query":   {get(inProject("/instances?marker=%ff")), http.StatusBadRequest},
		"malformed query":         {get(inProject("/instances?marker=%zz")), http.StatusBadRequest},
		"method of a collection":  {request(http.MethodPatch, inProject("/instances"), "{}"), http.StatusMethodNotAllowed},
		"method of an action":     {get(action), http.StatusMethodNotAllowed},
		"XML":                     {typed("application/xml", "<a/>"), http.StatusUnsupportedMediaType},
		"no media type":           {typed("", "{}"), http.StatusUnsupportedMediaType},
		"a strange media type":    {typed("json;;", "{}"), http.StatusUnsupportedMediaType},
		"no body":                 {post(""), http.StatusBadRequest},
		"half a body":             {post(`{"instance":`), http.StatusBadRequest},
		"two bodies":              {post(`{"instance":{}} {}`), http.StatusBadRequest},
		"a list":                  {post(`[]`), http.StatusBadRequest},
		"text":                    {post(`"instance"`), http.StatusBadRequest},
		"a number":                {post(`1`), http.StatusBadRequest},
		"null":                    {post(`null`), http.StatusBadRequest},
		"not UTF-8":               {post("{\"instance\":{\"name\":\"\xff\"}}"), http.StatusBadRequest},
		"no root key":             {post(`{"name":"a"}`), http.StatusBadRequest},
		"a null root key":         {post(`{"instance":null}`), http.StatusBadRequest},
		"a root key of text":      {post(`{"instance":"a"}`), http.StatusBadRequest},
		"NaN":                     {post(`{"instance":{"flavorRef":NaN}}`), http.StatusBadRequest},
		"a number beyond numbers": {post(`{"instance":{"flavorRef":1e999}}`), http.StatusBadRequest},
		"NUL in text":             {post(`{"instance":{"name":"a\u0000b"}}`), http.StatusBadRequest},
		"deep nesting":            {post(`{"instance":{"modules":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`), http.StatusBadRequest},
		"very deep nesting":       {post(strings.Repeat("[", 200_000)), http.StatusBadRequest},
		"too large":               {post(`{"instance":{"name":"` + strings.Repeat("a", 1<<20) + `"}}`), http.StatusRequestEntityTooLarge},
		"too large, length unsaid": {func() *http.Request {
			r := post(`{"instance":{"name":"` + strings.Repeat("a", 1<<20) + `"}}`)
			r.ContentLength = -1
			return r
		}(), http.StatusRequestEntityTooLarge},
	}
}

func TestAWrongRequestIsRefusedWithItsFault(t *testing.T) {
	for name, try := range wrong() {
		t.Run(name, func(t *testing.T) {
			fake := cannedAPI()
			answer := play(handler(t, fake), try.request)
			assert.Equal(t, try.code, answer.Code, answer.Body)
			_, fault := faultIn(t, answer.Body.Bytes())
			assert.Equal(t, try.code, fault.Code)
			assert.NotEmpty(t, fault.Message)
			assert.Equal(t, "application/json", answer.Header().Get("Content-Type"))
			assert.Empty(t, fake.requests)
			assert.Equal(t, 1, fake.checks)
			assert.Equal(t, try.code == http.StatusMethodNotAllowed, answer.Header().Get("Allow") != "")
		})
	}
}

func TestTokenAndProjectAreAskedBeforeAnythingElse(t *testing.T) {
	for name, try := range wrong() {
		t.Run(name, func(t *testing.T) {
			try.request.Header.Del("X-Auth-Token")
			answer := play(handler(t, cannedAPI()), try.request)
			assert.Equal(t, http.StatusUnauthorized, answer.Code, answer.Body)
			key, _ := faultIn(t, answer.Body.Bytes())
			assert.Equal(t, "error", key)
		})
	}
}

func TestABodyThatIsWrongAllOverIsAnsweredBriefly(t *testing.T) {
	body := `{"instance":{"name":"a","databases":[` + strings.Repeat(`1,`, 50_000) + `1]}}`
	answer := play(handler(t, cannedAPI()), request(http.MethodPost, inProject("/instances"), body))
	assert.Equal(t, http.StatusBadRequest, answer.Code)
	assert.Less(t, answer.Body.Len(), 2048)
}

func TestNoErrorRepeatsAPassword(t *testing.T) {
	for _, users := range []string{
		`[{"name":"joe","password":["hunter2"]}]`, `[{"name":"joe","password":{"a":"hunter2"}}]`, `["hunter2"]`, `"hunter2"`,
		`{"name":"joe","password":"hunter2"}`, `[{"name":{"password":"hunter2"}}]`, `[{"password":"hunter2"}]`,
	} {
		answer := play(handler(t, cannedAPI()), request(http.MethodPost, inProject("/instances"),
			`{"instance":{"name":"a","users":`+users+`}}`))
		assert.Equal(t, http.StatusBadRequest, answer.Code)
		assert.NotContains(t, answer.Body.String(), "hunter2", users)
	}
}

func TestAPanicIsAnsweredAndLeavesTheGatewayServing(t *testing.T) {
	panics := true
	door, err := gateway.New(gateway.Config{}, cannedAPI().channel(), func(context.Context) error {
		if panics {
			panic("hunter2")
		}
		return errors.New("queue: not connected")
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	answer := play(door, request(http.MethodGet, "/healthz", ""))
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	key, fault := faultIn(t, answer.Body.Bytes())
	assert.Equal(t, "instanceFault", key)
	assert.NotContains(t, fault.Message, "hunter2")

	panics = false
	answer = play(door, request(http.MethodGet, "/healthz", ""))
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.Contains(t, answer.Body.String(), "queue")
}

func TestAProjectThatAsksTooOftenIsToldWhenToComeBack(t *testing.T) {
	fake := cannedAPI()
	door := handler(t, fake, func(c *gateway.Config) { c.RateLimits.Get = 2 })
	get := func(token string) int {
		r := request(http.MethodGet, inProject("/instances"), "")
		r.Header.Set("X-Auth-Token", token)
		return play(door, r).Code
	}
	assert.Equal(t, http.StatusUnauthorized, get("bad"))
	assert.Equal(t, http.StatusUnauthorized, get("bad"))
	assert.Equal(t, http.StatusUnauthorized, get("bad"))
	assert.Equal(t, http.StatusOK, get(goodToken))
	assert.Equal(t, http.StatusOK, get(goodToken))
	over := play(door, request(http.MethodGet, inProject("/instances"), ""))
	assert.Equal(t, http.StatusRequestEntityTooLarge, over.Code)
	key, fault := faultIn(t, over.Body.Bytes())
	assert.Equal(t, "overLimit", key)
	assert.Equal(t, "This request was rate-limited.", fault.Message)
	assert.Equal(t, "Only 2 GET request(s) can be made to * every minute.", fault.Details)
	assert.NotEmpty(t, fault.RetryAfter)
	assert.Equal(t, fault.RetryAfter, over.Header().Get("Retry-After"))
	deleted := play(door, request(http.MethodDelete, inProject("/instances/"+instanceID), ""))
	assert.Equal(t, http.StatusAccepted, deleted.Code, "another method has no limit")
}

func TestAConfigurationThatIsWrongIsRefusedWhole(t *testing.T) {
	err := gateway.Config{
		PublicURL: "example.org", IdentityURL: "ftp://x", RateLimits: gateway.RateLimitConfig{Get: -1},
		Listen: gateway.ListenConfig{REST: "0.0.0.0:8779", Operations: "8783", CertificateFile: "x"},
		API:    gateway.APIConfig{Security: "much"},
	}.Validate()
	for _, part := range []string{
		"public_url:", "identity_url:", "rate_limits.get:", "listen.operations:", "listen.certificate_file:", "api.security:",
	} {
		require.ErrorContains(t, err, part)
	}
	require.ErrorContains(t, gateway.Config{Listen: gateway.ListenConfig{REST: "0.0.0.0:8779"}}.Validate(), "listen.rest:")
	require.NoError(t, gateway.Config{}.Validate())
	require.NoError(t, gateway.DefaultConfig().Validate())
}
