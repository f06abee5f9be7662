package server

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// admit says whether an action may begin in the instance's state.
func admit(admission action.Admission, instance store.Instance, now time.Time) error {
	inputs := instance.Inputs(now)
	switch admission {
	case action.AdmitNew:
		return nil
	case action.AdmitDelete:
		if shown := status.Shown(inputs); shown == "BUILD" {
			return errs.New(errs.WrongState, "NOT_READY", "Instance %s is not ready. (Status is %s).", instance.ID, shown)
		}
		return nil
	case action.AdmitRuleR:
		if inputs.Server == status.ServerNone {
			return errs.New(errs.WrongState, "NOT_READY", "Instance %s is not ready.", instance.ID)
		}
		if ok, refused := status.CanPerformAction(inputs); !ok {
			return errs.New(errs.WrongState, "WRONG_STATE",
				"Instance %s is not currently available for an action to be performed (%s).", instance.ID, refused)
		}
		return nil
	}
	return errs.New(errs.WrongState, "WRONG_STATE", "The action has no rule of admission.")
}
