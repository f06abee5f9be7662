package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

const jsonType = "application/json"

// payload is a request body that was read whole and is JSON by its media type; whether it fits is seen when the
// mux decodes it, and refused is where that leaves what was wrong, because the mux passes on the words alone.
type payload struct {
	data []byte
	read int
	// root is the action whose argument this is, else "".
	root    string
	refused *fault
}

func (p *payload) Read(b []byte) (int, error) {
	if p.read == len(p.data) {
		return 0, io.EOF
	}
	n := copy(b, p.data[p.read:])
	p.read += n
	return n, nil
}

func (p *payload) Close() error { return nil }

// takeBody reads the body of a request that may have one, and looks away from that of any other.
func (d *Dialect) takeBody(x *exchange, r *http.Request) (*http.Request, *fault) {
	body := r.Body
	r.Body = http.NoBody
	if !mayHaveBody(r.Method) {
		return r, nil
	}
	x.payload = &payload{}
	if body != http.NoBody {
		data, refused := readAll(body, r.ContentLength)
		if refused != nil {
			return nil, refused
		}
		x.payload.data = data
	}
	if len(x.payload.data) > 0 {
		given := r.Header.Get("Content-Type")
		if given == "" && x.manner.takesUntyped() {
			given = jsonType
		}
		if refused := checkMediaType(given); refused != nil {
			return nil, refused
		}
	}
	if !utf8.Valid(x.payload.data) {
		return nil, malformed()
	}
	r.Body = x.payload
	return r, nil
}

// mayHaveBody says whether a method's body is read at all.
func mayHaveBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

func readAll(body io.Reader, length int64) ([]byte, *fault) {
	if length > server.MaxBodyBytes {
		return nil, tooLarge()
	}
	var buffer bytes.Buffer
	buffer.Grow(int(max(length, 0)) + bytes.MinRead)
	if _, err := buffer.ReadFrom(io.LimitReader(body, server.MaxBodyBytes+1)); err != nil {
		return nil, &fault{
			code: http.StatusBadRequest, message: "The request body ended before it was complete.",
			cause: fmt.Errorf("read request body: %w", err),
		}
	}
	if buffer.Len() > server.MaxBodyBytes {
		return nil, tooLarge()
	}
	return buffer.Bytes(), nil
}

// checkMediaType refuses all but JSON; no type counts as text.
func checkMediaType(given string) *fault {
	if given == jsonType {
		return nil
	}
	if given == "" {
		given = "text/plain"
	}
	parsed, _, err := mime.ParseMediaType(given)
	if errors.Is(err, mime.ErrInvalidMediaParameter) {
		err = nil
	}
	if err == nil && parsed == jsonType {
		return nil
	}
	if err != nil {
		parsed = given
	}
	return &fault{
		code:    http.StatusUnsupportedMediaType,
		message: fmt.Sprintf("The request media type %s is not supported by this server. Use %s.", parsed, jsonType),
	}
}

// The reasons of this package's own faults about bodies.
const (
	reasonNoBody  = "BODY_EMPTY"
	reasonNotJSON = "BODY_NOT_JSON"
)

func malformed() *fault {
	return &fault{code: http.StatusBadRequest, reason: reasonNotJSON, message: "Malformed request body"}
}

func tooLarge() *fault {
	return &fault{
		code:    http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("The request body is larger than %d bytes.", server.MaxBodyBytes),
	}
}
