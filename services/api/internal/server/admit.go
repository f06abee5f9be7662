package server

import (
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// admit says whether an action may begin in the state in which the instance and its set are.
func (s *Server) admit(admission action.Admission, scene store.Scene) error {
	instance := scene.Instance
	inputs := instance.Inputs(s.Now())
	switch admission {
	case action.AdmitNew:
		return nil
	case action.AdmitDelete:
		return admitDelete(scene, inputs)
	case action.AdmitRuleR:
		return admitRuleR(instance, inputs)
	case action.AdmitEject:
		return s.admitEject(scene, inputs)
	case action.AdmitIdle:
		if len(scene.Unfinished) > 0 {
			return errs.New(errs.WrongState, "WRONG_STATE",
				"Instance %s is not currently available for an action to be performed (task status was %s).",
				instance.ID, instance.TaskStatus)
		}
		return admitServer(instance, inputs)
	case action.AdmitAny:
		return admitServer(instance, inputs)
	}
	return errs.New(errs.WrongState, "WRONG_STATE", "The action has no rule of admission.")
}

// admitServer wants a server to be there at all, in whatever state.
func admitServer(instance store.Instance, inputs status.Inputs) error {
	if inputs.Server == status.ServerNone {
		return errs.New(errs.WrongState, "NOT_READY", "Instance %s is not ready.", instance.ID)
	}
	return nil
}

// admitRuleR is Trove's "can perform action".
func admitRuleR(instance store.Instance, inputs status.Inputs) error {
	if err := admitServer(instance, inputs); err != nil {
		return err
	}
	if ok, refused := status.CanPerformAction(inputs); !ok {
		return errs.New(errs.WrongState, "WRONG_STATE",
			"Instance %s is not currently available for an action to be performed (%s).", instance.ID, refused)
	}
	return nil
}

// admitDelete wants no other instance to depend on this one, unless it goes too.
func admitDelete(scene store.Scene, inputs status.Inputs) error {
	if shown := status.Shown(inputs); shown == "BUILD" {
		return errs.New(errs.WrongState, "NOT_READY", "Instance %s is not ready. (Status is %s).", scene.Instance.ID, shown)
	}
	stays := func(replica store.Instance) bool { return replica.TaskStatus != status.TaskDeleting }
	if scene.Instance.ReplicaOf == "" && slices.ContainsFunc(scene.Others, stays) {
		return errs.New(errs.Forbidden, "HAS_REPLICAS", "Detach replicas before deleting replica source.")
	}
	return nil
}

// admitEject wants a source whose guest has been silent for long, or whose server is down by the provider's word.
func (s *Server) admitEject(scene store.Scene, inputs status.Inputs) error {
	source := scene.Instance
	// A replica that never came to be cannot take a source's place.
	grown := func(replica store.Instance) bool { return replica.EverActive }
	if source.ReplicaOf != "" || !slices.ContainsFunc(scene.Others, grown) {
		return errs.New(errs.Invalid, "NOT_A_SOURCE", "Instance %s is not a replica source.", source.ID)
	}
	down := slices.Contains([]status.Server{status.ServerShutdown, status.ServerError, status.ServerDeleted}, inputs.Server)
	silent := inputs.Silent && source.Silence(s.Now()) >= s.Settings.EjectSilence
	if !down && !silent {
		return errs.New(errs.Invalid, "SOURCE_LIVES",
			"Replica Source %s cannot be ejected as it has a current heartbeat", source.ID)
	}
	return nil
}
