package journal

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// RecordSteps writes what a run did, and what that changed of its instance.
func (s *Server) RecordSteps(
	ctx context.Context, request *journalv1.RecordStepsRequest,
) (*journalv1.RecordStepsResponse, error) {
	r, err := record(request)
	if err != nil {
		return nil, err
	}
	task, err := s.Store.RecordSteps(ctx, r)
	if err != nil {
		return nil, err
	}
	if movesGuest(request.GetInstance(), request.GetMembers()) {
		s.Guests.Ring()
	}
	return &journalv1.RecordStepsResponse{Stop: task.Stop}, nil
}

func record(request *journalv1.RecordStepsRequest) (store.Record, error) {
	if p := request.GetProgress(); p < 0 || p > 100 {
		return store.Record{}, errs.New(errs.Invalid, "PROGRESS", "Progress is from 0 to 100, not %d.", p)
	}
	return store.Record{
		Run:         run(request.GetRun()),
		Steps:       steps(request.GetSteps()),
		Patch:       request.GetInstance(),
		Progress:    int(request.GetProgress()),
		Failure:     failure(request.GetFailure()),
		DropSecrets: request.GetDropSecrets(),
		Members:     request.GetMembers(),
		Notes:       request.GetNotes(),
	}, nil
}

// movesGuest says whether a guest is to be dialled elsewhere from now on.
func movesGuest(instance *journalv1.InstancePatch, members map[string]*journalv1.InstancePatch) bool {
	moves := instance != nil && instance.GuestAddress != nil
	for _, patch := range members {
		moves = moves || patch != nil && patch.GuestAddress != nil
	}
	return moves
}
