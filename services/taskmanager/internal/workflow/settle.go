package workflow

import (
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// settleActive is the end of an action whose failure leaves the instance usable: ACTIVE, with a fault that ends in the
// advice.
func settleActive(advice string) flow.Settle {
	return func(_ *flow.Run, end flow.End) flow.Settlement {
		settled := flow.Settlement{TaskStatus: status.TaskNone}
		if end.Failure != nil {
			settled.Fault = fault(end, advice)
		}
		return settled
	}
}

// fault is a failure as it stays on the instance.
func fault(end flow.End, advice string) *journalv1.Fault {
	return &journalv1.Fault{
		Message: flow.Sentence(end.Failure, advice),
		Details: fmt.Sprintf("%s in step %s: %s", end.Failure.GetCode(), end.Failure.GetStep(), end.Failure.GetMessage()),
	}
}
