package server

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	idempotencyKey       = "idempotency-key"
	maxIdempotencyLength = 255
)

// idempotency is the caller's key for this call; nil when none was sent. The fingerprint is of what is done and of
// the message, which stand for method, path and body of the REST form.
func (s *Server) idempotency(ctx context.Context, doing string, request proto.Message) (*store.Idempotency, error) {
	return s.idempotencyOr(ctx, "", doing, request)
}

// idempotencyOr takes another key where the caller has sent none; without that too there is none.
func (s *Server) idempotencyOr(
	ctx context.Context, instead, doing string, request proto.Message,
) (*store.Idempotency, error) {
	keys := metadata.ValueFromIncomingContext(ctx, idempotencyKey)
	if len(keys) == 0 && instead == "" {
		return nil, nil
	}
	if len(keys) == 0 {
		keys = []string{instead}
	}
	key := keys[0]
	notPrintable := strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(keys) > 1 || key == "" || len(key) > maxIdempotencyLength || notPrintable {
		return nil, errs.New(errs.Invalid, "IDEMPOTENCY_KEY",
			"Idempotency-Key must be sent once, with 1 to %d printable ASCII characters.", maxIdempotencyLength)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("write the request for its fingerprint: %w", err)
	}
	return &store.Idempotency{
		ProjectID: callerOf(ctx).ProjectID, Key: key, Fingerprint: s.Secrets.Fingerprint([]byte(doing), body),
	}, nil
}
