package trove

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// turnAction makes an RPC's path of Trove's one-key body: POST …/action with {"restart": {}} goes on as
// …/action:restart with {}. Which keys there are follows from the http rules, so that a new action needs nothing here.
func (d *Dialect) turnAction(x *exchange, r *http.Request) (*http.Request, *fault) {
	if x.last() != actionSegment {
		return r, nil
	}
	actions := d.routes.actions(x.segments)
	if actions == nil {
		return r, nil
	}
	if r.Method != http.MethodPost {
		return nil, wrongMethod(http.MethodPost)
	}
	action, argument, refused := onlyKey(x.payload.data, actions)
	if refused != nil {
		return nil, refused
	}
	x.payload = &payload{data: argument, root: action}
	r = withPath(r, r.URL.Path+":"+action, r.URL.EscapedPath()+":"+action)
	r.Body = x.payload
	return r, nil
}

// onlyKey takes the body's one key and what it says. Clients send {} and null for "nothing more to say".
func onlyKey(body []byte, known []string) (key string, argument []byte, refused *fault) {
	var members map[string]json.RawMessage
	if len(body) > 0 {
		if err := json.Unmarshal(body, &members); err != nil && !json.Valid(body) {
			return "", nil, malformed()
		}
	}
	if len(members) != 1 {
		return "", nil, badRequest("Invalid request body.")
	}
	for key, argument = range members {
	}
	if !slices.Contains(known, key) {
		if refused := unservedAction(key); refused != nil {
			return "", nil, refused
		}
		return "", nil, badRequest("Invalid request body.")
	}
	if bytes.Equal(argument, []byte("null")) {
		argument = []byte("{}")
	}
	return key, argument, nil
}
