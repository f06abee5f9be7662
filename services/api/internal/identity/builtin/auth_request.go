package builtin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth *authBody `json:"auth"`
}

type authBody struct {
	Identity *struct {
		Methods  []string         `json:"methods"`
		Password *passwordRequest `json:"password"`
		Token    *struct {
			ID string `json:"id"`
		} `json:"token"`
	} `json:"identity"`
	// Scope is a string ("unscoped") or an object.
	Scope json.RawMessage `json:"scope"`
}

type passwordRequest struct {
	User *struct {
		ID       string       `json:"id"`
		Name     string       `json:"name"`
		Domain   *domainEntry `json:"domain"`
		Password *string      `json:"password"`
	} `json:"user"`
}

type domainEntry struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type projectScope struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Domain *domainEntry `json:"domain"`
}

// decodeAuth reads the body. Its errors name fields and never repeat what stood in them.
func decodeAuth(r *http.Request) (*authBody, error) {
	if err := wantJSON(r); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, invalid("The request body could not be read.")
	}
	var request authRequest
	if err := decode(content, &request, ""); err != nil {
		return nil, err
	}
	switch {
	case request.Auth == nil:
		return nil, invalid("Expecting to find auth in request body.")
	case request.Auth.Identity == nil:
		return nil, invalid("Expecting to find identity in auth.")
	case len(request.Auth.Identity.Methods) == 0:
		return nil, invalid("Expecting to find methods in auth.identity.")
	}
	return request.Auth, nil
}

// wantJSON admits a missing Content-Type, as Keystone does.
func wantJSON(r *http.Request) error {
	value := r.Header.Get("Content-Type")
	if value == "" {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(value); err != nil || kind != "application/json" {
		return invalid("Expecting to find application/json in Content-Type header.")
	}
	return nil
}

// decode reads JSON below the path at, which its errors name.
func decode(content []byte, into any, at string) error {
	err := json.Unmarshal(content, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		field := strings.TrimPrefix(at+"."+wrong.Field, ".")
		return invalid("Invalid input for field '%s': it must be of another type.", strings.TrimSuffix(field, "."))
	}
	return invalid("The request body is not valid JSON.")
}

// scope is what a token is asked for.
type scope struct {
	project *projectScope
	// other says that a domain or the system was asked for, on which nobody has a role here.
	other bool
}

// decodeScope tells no scope and "unscoped" from a project and the rest.
func (a *authBody) decodeScope() (scope, error) {
	raw := bytes.TrimSpace(a.Scope)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return scope{}, nil
	}
	if raw[0] == '"' {
		if bytes.Equal(raw, []byte(`"unscoped"`)) {
			return scope{}, nil
		}
		return scope{}, invalid("Invalid input for field 'auth.scope': the only accepted word is 'unscoped'.")
	}
	var kinds map[string]json.RawMessage
	if err := decode(raw, &kinds, "auth.scope"); err != nil {
		return scope{}, err
	}
	if len(kinds) != 1 {
		return scope{}, invalid("Expecting to find exactly one of project, domain and system in auth.scope.")
	}
	if kinds["domain"] != nil || kinds["system"] != nil {
		return scope{other: true}, nil
	}
	if kinds["project"] == nil {
		return scope{}, invalid("Expecting to find exactly one of project, domain and system in auth.scope.")
	}
	var project projectScope
	if err := decode(kinds["project"], &project, "auth.scope.project"); err != nil {
		return scope{}, err
	}
	if project.ID == "" && project.Name == "" {
		return scope{}, invalid("Expecting to find id or name in auth.scope.project.")
	}
	if project.ID == "" && project.Domain == nil {
		return scope{}, invalid("Expecting to find domain in auth.scope.project.")
	}
	return scope{project: &project}, nil
}
