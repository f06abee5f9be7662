package dialect

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// fault is an error as Trove sees it: {"<key>":{"code":…,"message":…}}. The other manners translate it.
type fault struct {
	code    int
	message string
	// details and retryAfter (seconds) come with a rate limit.
	details    string
	retryAfter int
	// allow are the methods of a 405.
	allow string
	// reason is the service's machine-readable one, by which other manners choose their codes.
	reason string
	// noRoute says that it is the path that is not found, and noToken that the caller has sent no token.
	noRoute, noToken bool
	// token asks for Keystone's own form of 401: the caller has no valid token.
	token bool
	// cause is for the log alone.
	cause error
}

func (f *fault) Error() string { return f.message }

func (f *fault) Unwrap() error { return f.cause }

// kindCodes are the HTTP codes of the error kinds. Their keys follow from faultKeys.
var kindCodes = map[errs.Kind]int{
	errs.Invalid:         http.StatusBadRequest,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden:       http.StatusForbidden,
	errs.NotFound:        http.StatusNotFound,
	errs.Conflict:        http.StatusConflict,
	errs.OverQuota:       http.StatusRequestEntityTooLarge,
	errs.WrongState:      http.StatusUnprocessableEntity,
	errs.Internal:        http.StatusInternalServerError,
	errs.Unsupported:     http.StatusNotImplemented,
	errs.Unavailable:     http.StatusServiceUnavailable,
}

// faultKeys are Trove's names of the HTTP codes: trove/common/wsgi.py.
var faultKeys = map[int]string{
	http.StatusBadRequest:            "badRequest",
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "itemNotFound",
	http.StatusMethodNotAllowed:      "badMethod",
	http.StatusNotAcceptable:         "notAcceptable",
	http.StatusConflict:              "conflict",
	http.StatusRequestEntityTooLarge: "overLimit",
	http.StatusUnsupportedMediaType:  "badMediaType",
	http.StatusUnprocessableEntity:   "unprocessableEntity",
	http.StatusInternalServerError:   "instanceFault",
	http.StatusNotImplemented:        "notImplemented",
	http.StatusServiceUnavailable:    "serviceUnavailable",
}

// goodTokens are the reasons of Trove's odd 401s, for which the token is good: a member calls what is the admin's, or
// somebody wants a replica of a replica.
var goodTokens = []string{"NOT_ADMIN", "REPLICA_OF_REPLICA"}

// retrySoon is what a client is told to wait when a part is away, in seconds.
const retrySoon = 1

// faultOf translates what a service answered.
func faultOf(err error) *fault {
	e := errs.From(err)
	f := &fault{code: kindCodes[e.Kind], message: e.Sentence, reason: e.Reason, cause: err}
	switch e.Kind {
	case errs.Internal:
		f.message = ""
	case errs.Unavailable:
		f.retryAfter = retrySoon
		if e.Reason == reasonOfPeer {
			f.message = "The service is not available at the moment."
		}
	case errs.Unsupported:
		if e.Reason == reasonOfPeer {
			f.message = "The operation is not supported."
		}
	case errs.Unauthenticated:
		f.token = !slices.Contains(goodTokens, e.Reason)
	case errs.Invalid, errs.Forbidden, errs.NotFound, errs.Conflict, errs.OverQuota, errs.WrongState:
	}
	return f
}

// reasonOfPeer is what errs.From says of a status that none of Coffer's services made: gRPC's own texts name
// addresses, which are nothing for a tenant.
const reasonOfPeer = "UNKNOWN"

func badRequest(message string) *fault { return &fault{code: http.StatusBadRequest, message: message} }

func notFound() *fault {
	return &fault{code: http.StatusNotFound, message: "The resource could not be found.", noRoute: true}
}

// body is the fault as Trove's JSON.
func (f *fault) body() []byte {
	if f.token {
		b := []byte(`{"error":{"code":401,"title":"Unauthorized","message":`)
		return append(appendText(b, f.message), "}}"...)
	}
	b := append([]byte(`{"`), faultKeys[f.code]...)
	b = append(b, `":{"code":`...)
	b = strconv.AppendInt(b, int64(f.code), 10)
	b = append(b, `,"message":`...)
	b = appendText(b, f.message)
	if f.details != "" {
		b = append(b, `,"details":`...)
		b = appendText(b, f.details)
		b = append(b, `,"retryAfter":`...)
		b = appendText(b, strconv.Itoa(f.retryAfter))
	}
	return append(b, "}}"...)
}
