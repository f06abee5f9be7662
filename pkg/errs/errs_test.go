package errs_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func TestAnErrorCrossesGRPCWithKindSentenceAndReason(t *testing.T) {
	cause := errors.New("disk on fire")
	sent := fmt.Errorf("create instance: %w", errs.New(errs.OverQuota, "QUOTA_EXCEEDED", "Quota exceeded for %s.", "ram").Because(cause))
	require.ErrorIs(t, sent, cause)

	received := errs.From(status.FromProto(errs.From(sent).GRPCStatus().Proto()).Err())

	assert.Equal(t, errs.OverQuota, received.Kind)
	assert.Equal(t, "QUOTA_EXCEEDED", received.Reason)
	assert.Equal(t, "Quota exceeded for ram.", received.Sentence)
}

func TestWhatIsWrappedAroundAPeersStatusStaysInTheLog(t *testing.T) {
	wrapped := fmt.Errorf("check access: %w", errs.New(errs.Forbidden, "POLICY", "Not yours.").GRPCStatus().Err())
	assert.Equal(t, "Not yours.", errs.From(wrapped).Sentence)
	assert.Contains(t, errs.From(wrapped).Unwrap().Error(), "check access")
}

func TestEveryKindHasACodeOfItsOwn(t *testing.T) {
	seen := map[codes.Code]errs.Kind{}
	for kind := errs.Internal; kind <= errs.Unavailable; kind++ {
		other, taken := seen[kind.Code()]
		require.False(t, taken, "kinds %d and %d share %s", kind, other, kind.Code())
		seen[kind.Code()] = kind
		assert.True(t, errs.IsKind(errs.New(kind, "R", "s").GRPCStatus().Err(), kind))
	}
}

func TestAnUnknownErrorShowsNothingOfItself(t *testing.T) {
	shown := errs.From(errors.New("dial tcp 10.0.0.1: password=hunter2"))
	assert.Equal(t, errs.Internal, shown.Kind)
	assert.NotContains(t, shown.Error(), "hunter2")
}
