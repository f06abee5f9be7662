package errs

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain names Coffer in the ErrorInfo of a gRPC status.
const Domain = "coffer"

// Kind says what sort of failure an error is. Its choice follows the code that the wire's contract asks for.
type Kind int

// The kinds, each with one gRPC code.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	OverQuota
	WrongState
	Unsupported
	Unavailable
)

var kindCodes = map[Kind]codes.Code{
	Internal:        codes.Internal,
	Invalid:         codes.InvalidArgument,
	Unauthenticated: codes.Unauthenticated,
	Forbidden:       codes.PermissionDenied,
	NotFound:        codes.NotFound,
	Conflict:        codes.Aborted,
	OverQuota:       codes.ResourceExhausted,
	WrongState:      codes.FailedPrecondition,
	Unsupported:     codes.Unimplemented,
	Unavailable:     codes.Unavailable,
}

var codeKinds = func() map[codes.Code]Kind {
	kinds := make(map[codes.Code]Kind, len(kindCodes))
	for kind, code := range kindCodes {
		kinds[code] = kind
	}
	kinds[codes.DeadlineExceeded] = Unavailable
	kinds[codes.Canceled] = Unavailable
	return kinds
}()

// Code is the gRPC code of the kind.
func (k Kind) Code() codes.Code { return kindCodes[k] }

// Error is a failure whose sentence may be shown to the caller. Its cause, if any, is for logs alone.
type Error struct {
	Kind Kind
	// Reason is machine-readable, in UPPER_SNAKE_CASE.
	Reason string
	// Sentence says what was wrong and what is allowed; it never holds a secret.
	Sentence string
	cause    error
}

// New makes an error of a kind.
func New(kind Kind, reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Sentence: fmt.Sprintf(format, args...)}
}

// Because keeps the cause for the logs and for errors.Is; the caller is not shown it.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.cause = cause
	return &with
}

// Error is the sentence, without the cause.
func (e *Error) Error() string { return e.Sentence }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus carries kind, sentence and reason over gRPC.
func (e *Error) GRPCStatus() *status.Status {
	s := status.New(e.Kind.Code(), e.Sentence)
	with, err := s.WithDetails(&errdetails.ErrorInfo{Reason: e.Reason, Domain: Domain})
	if err != nil {
		return s
	}
	return with
}

// From finds what may be shown of an error: the Error in its chain, a gRPC status that a peer sent, or an Internal one
// that shows nothing of its cause.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	// Not status.FromError: it would put what callers wrapped around a peer's status into the sentence.
	var fromPeer interface{ GRPCStatus() *status.Status }
	if errors.As(err, &fromPeer) {
		return fromStatus(fromPeer.GRPCStatus(), err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return New(Unavailable, "DEADLINE", "The request took too long.").Because(err)
	}
	return New(Internal, "INTERNAL", "Internal Server Error.").Because(err)
}

func fromStatus(s *status.Status, err error) *Error {
	kind, known := codeKinds[s.Code()]
	if !known {
		return New(Internal, "INTERNAL", "Internal Server Error.").Because(err)
	}
	e := &Error{Kind: kind, Reason: "UNKNOWN", Sentence: s.Message(), cause: err}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			e.Reason = info.GetReason()
		}
	}
	return e
}

// IsKind says whether an error is of a kind, also over gRPC.
func IsKind(err error, kind Kind) bool {
	return err != nil && From(err).Kind == kind
}

// IsReason says whether an error has a reason, also over gRPC.
func IsReason(err error, reason string) bool {
	return err != nil && From(err).Reason == reason
}
