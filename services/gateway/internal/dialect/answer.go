package dialect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	identityv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/identity/v1"
)

// answerError is called by the mux with what a service answered, or with what is wrong with the body or the query.
func (d *Dialect) answerError(
	ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error,
) {
	if x := exchangeOf(ctx); x.payload != nil && x.payload.refused != nil {
		d.refuse(w, r, x.payload.refused)
		return
	}
	var routing *runtime.HTTPStatusError
	if errors.As(err, &routing) {
		d.refuse(w, r, notFound())
		return
	}
	if md, ok := runtime.ServerMetadataFromContext(ctx); ok {
		for key, values := range md.HeaderMD {
			if header, leaves := outgoing(key); leaves && len(values) > 0 {
				w.Header().Set(header, values[len(values)-1])
			}
		}
	}
	f := faultOf(err)
	if f.code == http.StatusBadRequest && errs.IsReason(err, reasonOfPeer) {
		// The mux itself found fault with the query.
		d.refuse(w, r, f)
		return
	}
	d.answer(w, r, f)
}

// answerNoRoute is called by the mux when no route matches.
func (d *Dialect) answerNoRoute(
	ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int,
) {
	segments := exchangeOf(ctx).segments
	if f := unservedAt(r.Method, segments); f != nil {
		d.refuse(w, r, f)
		return
	}
	if code != http.StatusMethodNotAllowed {
		d.refuse(w, r, notFound())
		return
	}
	d.refuse(w, r, wrongMethod(d.routes.methods(segments)...))
}

func wrongMethod(allowed ...string) *fault {
	return &fault{
		code:    http.StatusMethodNotAllowed,
		message: "The method is not allowed for this resource.",
		allow:   strings.Join(allowed, ", "),
	}
}

// refuse answers with a fault that the gateway found itself. Trove asks for token and project before all else, so
// the services are asked for their opinion of those first; only requests that fail pay for the question.
func (d *Dialect) refuse(w http.ResponseWriter, r *http.Request, f *fault) {
	if project, ok := exchangeOf(r.Context()).project(); ok {
		if err := d.checkAccess(r, project); err != nil {
			f = faultOf(err)
		}
	}
	d.answer(w, r, f)
}

func (d *Dialect) checkAccess(r *http.Request, project string) error {
	ctx, err := runtime.AnnotateContext(r.Context(), d.mux, r, identityv1.AccessService_CheckAccess_FullMethodName)
	if err != nil {
		return fmt.Errorf("pass on headers: %w", err)
	}
	if _, err := d.access.CheckAccess(ctx, &identityv1.CheckAccessRequest{ProjectId: project, Management: exchangeOf(r.Context()).management()}); err != nil {
		return fmt.Errorf("check access: %w", err)
	}
	return nil
}

// rescue answers a request whose handler panicked.
func (d *Dialect) rescue(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	d.answer(w, r, &fault{
		code: http.StatusInternalServerError, cause: fmt.Errorf("panic: %v\n%s", cause, debug.Stack()),
	})
}

// answer writes a fault.
func (d *Dialect) answer(w http.ResponseWriter, r *http.Request, f *fault) {
	x := exchangeOf(r.Context())
	if f.code >= http.StatusInternalServerError && f.code != http.StatusNotImplemented && r.Context().Err() == nil {
		d.logger.WarnContext(r.Context(), "request failed", "request_id", x.requestID, "method", x.request.Method,
			"path", x.request.URL.Path, "code", f.code, "error", f.cause)
	}
	if f.code == http.StatusInternalServerError {
		f.message = "Internal Server Error. Please keep this ID to help us figure out what went wrong: (" +
			strings.TrimPrefix(x.requestID, requestIDPrefix) + ")."
	}
	header := w.Header()
	if f.code == http.StatusUnauthorized {
		header.Set("Www-Authenticate", `Keystone uri="`+d.identityURL(x.request)+`"`)
	}
	if f.retryAfter > 0 && header.Get("Retry-After") == "" {
		header.Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.allow != "" {
		header.Set("Allow", f.allow)
	}
	f.noToken = x.request.Header.Get(headerToken) == ""
	code, body := x.manner.fault(f)
	header.Set("Content-Type", jsonType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if _, err := w.Write(body); err != nil { //nolint:gosec // JSON or plain text, and its type says so.
		d.logger.DebugContext(r.Context(), "the client did not take its answer", "request_id", x.requestID, "error", err)
	}
}
