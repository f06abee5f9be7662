package flow_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

// A create whose server cannot be had: the volume, which it had taken, is given back, and the user reads why.
func Example() {
	settle := func(_ *flow.Run, end flow.End) flow.Settlement {
		if end.Failure == nil {
			return flow.Settlement{TaskStatus: status.TaskNone}
		}
		return flow.Settlement{
			TaskStatus: status.TaskBuildingErrorServer,
			Fault:      &journalv1.Fault{Message: flow.Sentence(end.Failure, "choose another flavor")},
		}
	}
	say := func(what string) flow.Func {
		return func(context.Context, *flow.Run) error { fmt.Println(what); return nil }
	}
	create := flow.New(action.CreateInstance, settle).
		Step("create_volume", say("volume made"), flow.Undo(say("volume deleted"))).
		Step("create_server", func(context.Context, *flow.Run) error {
			return errs.New(errs.OverQuota, "NO_HOST", "No host has 64 GiB of memory.")
		}).
		Step("await_healthy", say("never reached"))

	journal := flowtest.New(
		&commandv1.Command{TaskId: "t1", Action: &commandv1.Command_CreateInstance{}}, &journalv1.Instance{Id: "i1"},
	)
	err := journal.Run(context.Background(), flow.NewEngine(journal, []*flow.Workflow{create}))

	fmt.Println(err, journal.End().GetOutcome())
	fmt.Println(journal.End().GetFault().GetMessage())
	fmt.Println(strings.Join(journal.Steps(), " "))
	// Output:
	// volume made
	// volume deleted
	// <nil> TASK_OUTCOME_FAILED
	// create_server: No host has 64 GiB of memory; choose another flavor
	// create_volume=UNDONE create_server=FAILED await_healthy=PENDING
}
