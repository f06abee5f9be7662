package builtin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryFormOfALoginIsAnswered(t *testing.T) {
	h := newHouse(t)
	scopedToken, unscopedToken := h.login("demo", "demo"), h.login("demo", "")
	const (
		byID     = `"password":{"user":{"id":"` + demoID + `","password":"` + password + `"}}`
		byName   = `"password":{"user":{"name":"demo","domain":{"id":"default"},"password":"` + password + `"}}`
		toDemo   = `"scope":{"project":{"id":"` + demoProject + `"}}`
		noAuth   = "The request you have made requires authentication."
		unscoped = ""
	)
	pw := func(user, scope string) string {
		body := `{"auth":{"identity":{"methods":["password"],` + user + `}`
		if scope != "" {
			body += "," + scope
		}
		return body + `}}`
	}
	byToken := func(token, scope string) string {
		return `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + token + `"}}` + scope + `}}`
	}
	for name, c := range map[string]struct {
		body    string
		code    int
		project any
		message string
	}{
		"user by id, project by id":        {pw(byID, toDemo), 201, demoProject, ""},
		"user by name, project by name":    {pw(byName, `"scope":{"project":{"name":"demo","domain":{"name":"default"}}}`), 201, demoProject, ""},
		"user by name in the named domain": {pw(strings.Replace(byName, `"id":"default"`, `"name":"Default"`, 1), toDemo), 201, demoProject, ""},
		"no scope":                         {pw(byID, unscoped), 201, nil, ""},
		"unscoped in so many words":        {pw(byID, `"scope":"unscoped"`), 201, nil, ""},
		"a null scope":                     {pw(byID, `"scope":null`), 201, nil, ""},
		"token to a project":               {byToken(unscopedToken, ","+toDemo), 201, demoProject, ""},
		"token of a project to none":       {byToken(scopedToken, ""), 201, nil, ""},
		"password and token of the same":   {`{"auth":{"identity":{"methods":["password","token"],` + byID + `,"token":{"id":"` + scopedToken + `"}},` + toDemo + `}}`, 201, demoProject, ""},
		"token of another user as well":    {`{"auth":{"identity":{"methods":["password","token"],` + strings.Replace(byID, demoID, readerID, 1) + `,"token":{"id":"` + scopedToken + `"}}}}`, 401, nil, noAuth},
		"wrong password":                   {pw(strings.Replace(byID, "correct", "wrong", 1), toDemo), 401, nil, noAuth},
		"empty password":                   {pw(`"password":{"user":{"id":"`+demoID+`","password":""}}`, toDemo), 401, nil, noAuth},
		"password longer than bcrypt sees": {pw(`"password":{"user":{"id":"`+demoID+`","password":"`+strings.Repeat("x", 80)+`"}}`, toDemo), 401, nil, noAuth},
		"unknown user":                     {pw(strings.Replace(byID, demoID, "nobody", 1), toDemo), 401, nil, noAuth},
		"disabled user":                    {pw(strings.Replace(byID, demoID, disabledID, 1), toDemo), 401, nil, noAuth},
		"user in another domain":           {pw(strings.Replace(byName, "default", "other", 1), toDemo), 401, nil, noAuth},
		"unknown token":                    {byToken(strings.Repeat("a", tokenLength), ""), 401, nil, noAuth},
		"token of a wrong length":          {byToken("gAAAAA", ""), 401, nil, noAuth},
		"project without a role":           {pw(byID, `"scope":{"project":{"id":"`+adminProject+`"}}`), 401, nil, noAuth},
		"unknown project":                  {pw(byID, `"scope":{"project":{"id":"nowhere"}}`), 401, nil, noAuth},
		"project in another domain":        {pw(byID, `"scope":{"project":{"name":"demo","domain":{"id":"other"}}}`), 401, nil, noAuth},
		"domain scope":                     {pw(byID, `"scope":{"domain":{"id":"default"}}`), 401, nil, noAuth},
		"system scope":                     {pw(byID, `"scope":{"system":{"all":true}}`), 401, nil, noAuth},
		"a method of others":               {`{"auth":{"identity":{"methods":["totp"]}}}`, 401, nil, "Attempted to authenticate with an unsupported method."},
		"two scopes":                       {pw(byID, `"scope":{"domain":{"id":"default"},"project":{"id":"9d"}}`), 400, nil, "exactly one of project, domain and system"},
		"a trust":                          {pw(byID, `"scope":{"OS-TRUST:trust":{"id":"x"}}`), 400, nil, "exactly one of project, domain and system"},
		"another word as scope":            {pw(byID, `"scope":"all"`), 400, nil, "auth.scope"},
		"scope of a wrong type":            {pw(byID, `"scope":7`), 400, nil, "auth.scope"},
		"project of a wrong type":          {pw(byID, `"scope":{"project":"demo"}`), 400, nil, "auth.scope.project"},
		"project without id and name":      {pw(byID, `"scope":{"project":{}}`), 400, nil, "id or name in auth.scope.project"},
		"project name without domain":      {pw(byID, `"scope":{"project":{"name":"demo"}}`), 400, nil, "domain in auth.scope.project"},
		"user name without domain":         {pw(`"password":{"user":{"name":"demo","password":"x"}}`, ""), 400, nil, "Expecting to find domain"},
		"user without id and name":         {pw(`"password":{"user":{"password":"x"}}`, ""), 400, nil, "Expecting to find id or name"},
		"no password":                      {pw(`"password":{"user":{"id":"x"}}`, ""), 400, nil, "Expecting to find password"},
		"a number as password":             {pw(`"password":{"user":{"id":"x","password":31337}}`, ""), 400, nil, "auth.identity.password.user.password"},
		"method without its part":          {`{"auth":{"identity":{"methods":["password"]}}}`, 400, nil, "password.user"},
		"token method without token":       {`{"auth":{"identity":{"methods":["token"]}}}`, 400, nil, "token.id"},
		"no methods":                       {`{"auth":{"identity":{"methods":[]}}}`, 400, nil, "methods"},
		"no identity":                      {`{"auth":{}}`, 400, nil, "identity"},
		"no auth":                          {`{}`, 400, nil, "Expecting to find auth in request body."},
		"an array":                         {`[]`, 400, nil, "another type"},
		"no JSON":                          {`{"auth":`, 400, nil, "not valid JSON"},
		"nothing":                          {``, 400, nil, "not valid JSON"},
		"too much":                         {`{"auth":"` + strings.Repeat("x", maxBody) + `"}`, 413, nil, "at most 114688 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.call("POST", "/identity/v3/auth/tokens", c.body)
			require.Equal(t, c.code, a.code, a.text)
			assert.NotContains(t, a.text, "31337")
			assert.NotContains(t, a.text, password)
			if c.code != http.StatusCreated {
				assert.InEpsilon(t, c.code, a.at(t, "error", "code"), 0)
				assert.Equal(t, http.StatusText(c.code), a.at(t, "error", "title"))
				assert.Contains(t, a.at(t, "error", "message"), c.message)
				assert.Empty(t, a.header.Get("X-Subject-Token"))
				return
			}
			assert.Len(t, a.header.Get("X-Subject-Token"), tokenLength)
			if c.project == nil {
				assert.Nil(t, a.at(t, "token", "project"))
				assert.Nil(t, a.at(t, "token", "catalog"))
				assert.Nil(t, a.at(t, "token", "roles"))
				return
			}
			assert.Equal(t, c.project, a.at(t, "token", "project", "id"))
		})
	}
}

func TestATokenHasKeystonesShape(t *testing.T) {
	h := newHouse(t)
	body := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"` + demoID + `","password":"` + password +
		`"}}},"scope":{"project":{"id":"` + demoProject + `"}}}}`
	a := h.call("POST", "/identity/v3/auth/tokens", body)
	require.Equal(t, http.StatusCreated, a.code)

	endpoints := func(kind, url string) string {
		list := []string{}
		for _, face := range []string{"public", "internal", "admin"} {
			list = append(list, `{"id":"`+fixedID("endpoint", kind+"/"+face)+`","interface":"`+face+
				`","region":"RegionOne","region_id":"RegionOne","url":"`+h.server.URL+url+`"}`)
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	auditIDs, ok := a.at(t, "token", "audit_ids").([]any)
	require.True(t, ok)
	require.Len(t, auditIDs, 1)
	assert.JSONEq(t, `{"token":{
		"methods":["password"],
		"user":{"domain":{"id":"default","name":"Default"},"id":"d0d0","name":"demo","password_expires_at":null},
		"audit_ids":["`+auditIDs[0].(string)+`"],
		"issued_at":"2026-11-22T10:00:00.000000Z",
		"expires_at":"2026-11-22T11:00:00.000000Z",
		"is_domain":false,
		"project":{"domain":{"id":"default","name":"Default"},"id":"9d","name":"demo"},
		"roles":[{"id":"`+fixedID("role", "member")+`","name":"member"},{"id":"`+fixedID("role", "reader")+`","name":"reader"}],
		"catalog":[
			{"id":"`+fixedID("service", "database")+`","type":"database","name":"trove","endpoints":`+endpoints("database", "/v1.0/9d")+`},
			{"id":"`+fixedID("service", "identity")+`","type":"identity","name":"keystone","endpoints":`+endpoints("identity", "/identity/v3")+`}]
	}}`, a.text)
	assert.Equal(t, "application/json", a.header.Get("Content-Type"))
	assert.Regexp(t, `^req-[0-9a-f-]{36}$`, a.header.Get("X-Openstack-Request-Id"))

	a = h.call("POST", "/identity/v3/auth/tokens?nocatalog", body)
	assert.Nil(t, a.at(t, "token", "catalog"))
}

func TestATokenMadeFromATokenDoesNotOutliveIt(t *testing.T) {
	h := newHouse(t)
	first := h.login("demo", "")
	h.pass(h.cfg.TokenTTL / 2)
	a := h.call("POST", "/identity/v3/auth/tokens",
		`{"auth":{"identity":{"methods":["token"],"token":{"id":"`+first+`"}},"scope":{"project":{"id":"9d"}}}}`)
	require.Equal(t, http.StatusCreated, a.code, a.text)
	assert.Equal(t, "2026-11-22T11:00:00.000000Z", a.at(t, "token", "expires_at"))
	assert.Equal(t, "2026-11-22T10:30:00.000000Z", a.at(t, "token", "issued_at"))
	assert.Equal(t, []any{"token", "password"}, a.at(t, "token", "methods"))
	assert.Len(t, a.at(t, "token", "audit_ids"), 2)
}

func TestALoginLeavesNoSecretInLogsOrStore(t *testing.T) {
	h := newHouse(t)
	token := h.login("demo", "demo")
	a := h.call("POST", "/identity/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{
		"name":"planted-name","domain":{"id":"default"},"password":"planted-password"}}}}}`)
	require.Equal(t, http.StatusUnauthorized, a.code)
	assert.Equal(t, `Keystone uri="`+h.server.URL+`/identity/v3"`, a.header.Get("WWW-Authenticate"))
	assert.Contains(t, h.log.String(), "login refused")
	assert.NotContains(t, h.log.String(), "planted")
	require.Len(t, h.tokens.saved, 1)
	for _, stored := range h.tokens.saved {
		assert.NotContains(t, string(stored.Hash)+string(stored.Payload), token)
		assert.NotContains(t, string(stored.Payload), password)
	}
}

func TestABodyThatIsNoJSONIsRefused(t *testing.T) {
	h := newHouse(t)
	a := h.call("POST", "/identity/v3/auth/tokens", "user=demo", "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, http.StatusBadRequest, a.code)
	assert.Contains(t, a.text, "Content-Type")
}
