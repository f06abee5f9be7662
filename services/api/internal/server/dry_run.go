package server

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/coffer-dbaas/coffer/pkg/action"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// dryRunKey is the metadata of a call that shall be checked and not be done.
const dryRunKey = "coffer-dry-run"

func dryRun(ctx context.Context) bool {
	given := metadata.ValueFromIncomingContext(ctx, dryRunKey)
	return len(given) > 0 && given[len(given)-1] == "true"
}

// told is what the caller learns of a decision: the task, or the plan of a dry run.
func (s *Server) told(ctx context.Context, d decision) (*taskv1.Task, *taskv1.Plan, error) {
	if !d.dryRun {
		return store.TaskProto(d.Task), nil, nil
	}
	plan, err := s.plan(ctx, d.Task.Action, d.Instance.ID, d.members)
	return nil, plan, err
}

// plan is what an action would do: its steps are what the taskmanagers registered.
func (s *Server) plan(ctx context.Context, name action.Name, instanceID string, members []string) (*taskv1.Plan, error) {
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	row, _ := action.Lookup(name)
	plan := &taskv1.Plan{Action: string(name), InstanceId: instanceID, Members: members, Downtime: row.Downtime}
	for _, outline := range offered.Provider.GetWorkflows() {
		if outline.GetAction() != string(name) {
			continue
		}
		for _, step := range outline.GetSteps() {
			plan.Steps = append(plan.Steps, &taskv1.PlanStep{Name: step.GetName(), Undoable: step.GetUndoable()})
		}
	}
	return plan, nil
}

// atOnce is the plan of a change that has no steps.
func atOnce(doing, instanceID string) *taskv1.Plan {
	return &taskv1.Plan{Action: doing, InstanceId: instanceID, Downtime: "None."}
}
