package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// roleLimit bounds a change of role. It leaves time for a database that has to start first.
const roleLimit = 10 * time.Minute

// FollowSource follows a source with the data that are here.
func (s *Server) FollowSource(
	request *guestagentv1.FollowSourceRequest, stream grpc.ServerStreamingServer[guestagentv1.FollowSourceResponse],
) error {
	message := func(p *guestagentv1.Progress) *guestagentv1.FollowSourceResponse {
		return &guestagentv1.FollowSourceResponse{Progress: p}
	}
	source := sourceOf(request.GetSource())
	return changeRole(s, stream, message, request.GetOperation(), "follow_source", roleLimit,
		func(ctx context.Context, tell func(string)) error { return s.Instance.Follow(ctx, source, tell) },
		plain(message))
}
