package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/instance"
)

// prepareLimit leaves time to make a template on a slow disk.
const prepareLimit = 15 * time.Minute

// Prepare makes the data directory, starts the database, creates databases and users.
func (s *Server) Prepare(request *guestagentv1.PrepareRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareResponse]) error {
	plan := planOf(request)
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.PrepareResponse {
			return &guestagentv1.PrepareResponse{Progress: p}
		},
		request.GetOperation(), "prepare", "", prepareLimit,
		unmarked(func(ctx context.Context, tell func(string)) error { return s.Instance.Prepare(ctx, plan, tell) }))
}

func planOf(request *guestagentv1.PrepareRequest) instance.Plan {
	plan := instance.Plan{
		Manager: request.GetManager(), Version: request.GetVersion(), MemoryMiB: int(request.GetRam()),
	}
	for _, d := range request.GetDatabases() {
		plan.Databases = append(plan.Databases, engine.Database{
			Name: d.GetName(), CharacterSet: d.GetCharacterSet(), Collation: d.GetCollate(),
		})
	}
	for _, u := range request.GetUsers() {
		plan.Users = append(plan.Users, engine.User{
			Name: u.GetName(), Host: u.GetHost(), Password: u.GetPassword(), Databases: u.GetDatabases(),
		})
	}
	return plan
}
