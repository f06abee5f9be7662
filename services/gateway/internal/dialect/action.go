package dialect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// resize is the one key that stands for two actions: what its argument names is what grows.
const resize = "resize"

// resizes are the verbs of resize, by the member of the argument that asks for them.
var resizes = map[string]string{"flavorRef": "resize_flavor", "volume": "resize_volume"}

// turnAction makes an RPC's path of Trove's one-key body: POST …/action with {"restart": {}} goes on as
// …/action:restart with {}. Which keys there are follows from the http rules, so that a new action needs nothing here.
func (d *Dialect) turnAction(x *exchange, r *http.Request) (*http.Request, *fault) {
	if x.last() != actionSegment {
		return r, nil
	}
	verbs := d.routes.actions(x.segments)
	if verbs == nil {
		return r, nil
	}
	if r.Method != http.MethodPost {
		return nil, wrongMethod(http.MethodPost)
	}
	key, argument, refused := onlyKey(x)
	if refused != nil {
		return nil, refused
	}
	verb := verbOf(key, argument)
	if !slices.Contains(verbs, verb) {
		return nil, x.unknownAction(key)
	}
	x.payload = &payload{data: argument, root: key}
	r = withPath(r, r.URL.Path+":"+verb, r.URL.EscapedPath()+":"+verb)
	r.Body = x.payload
	return r, nil
}

// onlyKey takes the body's one key and what it says. Clients send {} and null for "nothing more to say".
func onlyKey(x *exchange) (key string, argument []byte, refused *fault) {
	var members map[string]json.RawMessage
	if body := x.payload.data; len(body) > 0 {
		if err := json.Unmarshal(body, &members); err != nil && !json.Valid(body) {
			return "", nil, malformed()
		}
	}
	if len(members) > 1 && x.management() {
		return "", nil, badRequest("Only one action can be specified per request.")
	}
	if len(members) != 1 {
		return "", nil, badRequest("Invalid request body.")
	}
	for key, argument = range members {
	}
	if bytes.Equal(argument, []byte("null")) {
		argument = []byte("{}")
	}
	return key, argument, nil
}

// verbOf is the key itself, unless it is resize. The verbs of resize are no keys of their own, and neither is one
// that asks for both or for none.
func verbOf(key string, argument []byte) string {
	if key != resize {
		for _, verb := range resizes {
			if verb == key {
				return ""
			}
		}
		return key
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(argument, &members); err != nil {
		return ""
	}
	verb := ""
	for member, asked := range resizes {
		if _, given := members[member]; !given {
			continue
		}
		if verb != "" {
			return ""
		}
		verb = asked
	}
	return verb
}

func (x *exchange) unknownAction(key string) *fault {
	if x.management() {
		return badRequest("Invalid instance action: " + shorten(key))
	}
	return badRequest("Invalid request body.")
}
