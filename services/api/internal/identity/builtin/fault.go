package builtin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// fault is a failure in Keystone's shape: {"error": {"code", "title", "message"}}.
type fault struct {
	code    int
	message string
}

func (f *fault) Error() string { return f.message }

func newFault(code int, format string, args ...any) *fault {
	return &fault{code: code, message: fmt.Sprintf(format, args...)}
}

// The sentences are Keystone's: keystone/exception.py.
var (
	errNoSuchPath = newFault(http.StatusNotFound, "The resource could not be found.")
	errMethod     = newFault(http.StatusMethodNotAllowed, "The method is not allowed for the requested URL.")
	errTooLarge   = newFault(http.StatusRequestEntityTooLarge, "Request is too large; at most %d bytes are accepted.", maxBody)
)

const malformed = " The server could not comply with the request since it is either malformed or otherwise incorrect." +
	" The client is assumed to be in error."

// invalid refuses a body that is not what the call wants.
func invalid(format string, args ...any) error {
	return newFault(http.StatusBadRequest, "%s%s", fmt.Sprintf(format, args...), malformed)
}

// forbidden refuses what a policy of Keystone refuses, by the policy's name.
func forbidden(policy string) error {
	return newFault(http.StatusForbidden, "You are not authorized to perform the requested action: identity:%s.", policy)
}

func notFound(kind, id string) error {
	return newFault(http.StatusNotFound, "Could not find %s: %s.", kind, id)
}

var kindStatus = map[errs.Kind]int{
	errs.Invalid:         http.StatusBadRequest,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden:       http.StatusForbidden,
	errs.NotFound:        http.StatusNotFound,
	errs.Unavailable:     http.StatusServiceUnavailable,
}

func faultOf(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	shown := errs.From(err)
	if code, known := kindStatus[shown.Kind]; known {
		return newFault(code, "%s", shown.Sentence)
	}
	return newFault(http.StatusInternalServerError,
		"An unexpected error prevented the server from fulfilling your request.")
}

// fail answers with the failure, and logs it when it is the server's.
func (b *Builtin) fail(w http.ResponseWriter, r *http.Request, requestID string, err error) {
	f := faultOf(err)
	switch {
	case f.code == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Keystone uri=%q", b.cfg.identityURL()+"/v3"))
	case f.code >= http.StatusInternalServerError && !errors.Is(err, context.Canceled): // else the caller hung up
		b.logger.ErrorContext(r.Context(), "identity call failed",
			"request_id", requestID, "method", r.Method, "path", r.URL.Path, "error", errorChain(err))
	}
	body := map[string]any{"error": map[string]any{"code": f.code, "title": http.StatusText(f.code), "message": f.message}}
	if err := reply(w, f.code, body); err != nil {
		b.logger.ErrorContext(r.Context(), "identity answer failed", "request_id", requestID, "error", err)
	}
}

// errorChain is the error with the cause that an errs.Error does not show.
func errorChain(err error) string {
	var shown *errs.Error
	if errors.As(err, &shown) && shown.Unwrap() != nil {
		return err.Error() + ": " + shown.Unwrap().Error()
	}
	return err.Error()
}
