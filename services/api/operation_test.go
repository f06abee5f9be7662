package api_test

import (
	"context"

	"google.golang.org/protobuf/types/known/structpb"

	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// operation is a change of an instance as a client asks for it, and what holds of it whatever it does.
type operation struct {
	call func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error)
	// rule is the one that a caller with too few rights hears of; empty for management, which says nothing of rules.
	rule string
	// by is who may: demo, or admin.
	by string
	// on makes an instance on which it is accepted.
	on func(user string) string
	// action is that of the task; empty when it is done at once.
	action string
	// shown is the instance's status while the task is unfinished.
	shown string
	// admits says in which states it is accepted.
	admits admission
}

type admission int

const (
	whenReady   admission = iota // Trove's "can perform action"
	whenIdle                     // no task runs
	whenAnswers                  // there is a server
	whenDead                     // a source that is down
	always
	unlessBuilding
)

func (o operation) management() bool { return o.rule == "" }

// told takes what a call answered apart.
func told[R interface {
	GetTask() *taskv1.Task
	GetPlan() *taskv1.Plan
}](answer R, err error,
) (*taskv1.Task, *taskv1.Plan, error) {
	return answer.GetTask(), answer.GetPlan(), err
}

// toldAtOnce is told for what is no task.
func toldAtOnce[R interface{ GetPlan() *taskv1.Plan }](answer R, err error) (*taskv1.Task, *taskv1.Plan, error) {
	return nil, answer.GetPlan(), err
}

// operations are all of them, by a name for the test.
func (w *world) operations() map[string]operation {
	image := w.version("mariadb", "10.6")
	single := func(user string) string { return w.old(user, "single") }
	replica := func(user string) string {
		_, replica := w.pair(user)
		return replica
	}
	put := func(body func() *instancev1.InstanceUpdate) func(context.Context, string, string) (*taskv1.Task, *taskv1.Plan, error) {
		return func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
			return told(w.instances().UpdateInstance(ctx,
				&instancev1.UpdateInstanceRequest{ProjectId: project, InstanceId: id, Instance: body()}))
		}
	}
	patch := func(body func() *instancev1.InstanceUpdate) func(context.Context, string, string) (*taskv1.Task, *taskv1.Plan, error) {
		return func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
			return told(w.instances().EditInstance(ctx,
				&instancev1.EditInstanceRequest{ProjectId: project, InstanceId: id, Instance: body()}))
		}
	}
	restartDDM := func(kind string) func(context.Context, string, string) (*taskv1.Task, *taskv1.Plan, error) {
		return func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
			return told(w.ddm().RestartInstance(ctx, &ddmv1.RestartInstanceRequest{
				ProjectId: project, InstanceId: id, Restart: object(map[string]any{"type": kind}),
			}))
		}
	}
	return map[string]operation{
		"restart": {
			rule: "instance:restart", by: "demo", on: single, action: "restart_instance", shown: "REBOOT",
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().RestartInstance(ctx, &instancev1.RestartInstanceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"resize flavor": {
			rule: "instance:resize_flavor", by: "demo", on: single, action: "resize_flavor", shown: "RESIZE",
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().ResizeFlavor(ctx, &instancev1.ResizeFlavorRequest{
					ProjectId: project, InstanceId: id, FlavorRef: structpb.NewStringValue("2"),
				}))
			},
		},
		"resize volume": {
			rule: "instance:resize_volume", by: "demo", on: single, action: "resize_volume", shown: "RESIZE",
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().ResizeVolume(ctx, &instancev1.ResizeVolumeRequest{
					ProjectId: project, InstanceId: id, Volume: &instancev1.ResizedVolume{Size: structpb.NewNumberValue(2)},
				}))
			},
		},
		"promote": {
			rule: "instance:promote_to_replica_source", by: "demo", on: replica, action: "promote_to_replica_source", shown: "PROMOTE",
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().PromoteToReplicaSource(ctx,
					&instancev1.PromoteToReplicaSourceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"eject": {
			rule: "instance:eject_replica_source", by: "demo", on: w.deadSource, action: "eject_replica_source", shown: "EJECT",
			admits: whenDead,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().EjectReplicaSource(ctx,
					&instancev1.EjectReplicaSourceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"detach by PUT": {
			rule: "instance:update", by: "demo", on: replica, action: "detach_replica", shown: "DETACH",
			call: put(func() *instancev1.InstanceUpdate {
				return &instancev1.InstanceUpdate{ReplicaOf: structpb.NewNullValue()}
			}),
		},
		"detach by PATCH": {
			rule: "instance:edit", by: "demo", on: replica, action: "detach_replica", shown: "DETACH",
			call: patch(func() *instancev1.InstanceUpdate {
				return &instancev1.InstanceUpdate{SlaveOf: structpb.NewStringValue("")}
			}),
		},
		"upgrade": {
			rule: "instance:edit", by: "demo", on: single, action: "upgrade_instance", shown: "UPGRADE",
			call: patch(func() *instancev1.InstanceUpdate {
				return &instancev1.InstanceUpdate{DatastoreVersion: structpb.NewStringValue("10.11")}
			}),
		},
		"access": {
			rule: "instance:update", by: "demo", on: single, action: "update_access", shown: "ACTIVE",
			call: put(func() *instancev1.InstanceUpdate {
				return &instancev1.InstanceUpdate{Access: object(map[string]any{"is_public": true})}
			}),
		},
		"rename": {
			rule: "instance:update", by: "demo", on: single, shown: "ACTIVE", admits: always,
			call: put(func() *instancev1.InstanceUpdate {
				return &instancev1.InstanceUpdate{Name: structpb.NewStringValue("renamed")}
			}),
		},
		"detach configuration": {
			rule: "instance:update", by: "demo", on: single, shown: "ACTIVE", admits: always,
			call: put(func() *instancev1.InstanceUpdate { return &instancev1.InstanceUpdate{} }),
		},
		"delete": {
			rule: "instance:delete", by: "demo", on: single, action: "delete_instance", shown: "SHUTDOWN", admits: unlessBuilding,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.instances().DeleteInstance(ctx, &instancev1.DeleteInstanceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"DDM's soft restart": {
			rule: "instance:restart", by: "demo", on: single, action: "restart_instance", shown: "REBOOT",
			call: restartDDM("soft"),
		},
		"DDM's hard restart": {
			rule: "instance:restart_hard", by: "demo", on: single, action: "reboot_instance", shown: "REBOOT", admits: whenIdle,
			call: restartDDM("hard"),
		},
		"reset status": {
			rule: "instance:reset_status", by: "admin", on: single, shown: "ACTIVE", admits: always,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return toldAtOnce(w.instances().ResetStatus(ctx, &instancev1.ResetStatusRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"force delete": {
			rule: "instance:force_delete", by: "demo", on: single, shown: "ACTIVE", admits: always,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return toldAtOnce(w.instances().ResetStatus(ctx, &instancev1.ResetStatusRequest{
					ProjectId: project, InstanceId: id, ForceDelete: structpb.NewNullValue(),
				}))
			},
		},
		"stop": {
			by: "admin", on: single, action: "stop_instance", shown: "REBOOT", admits: whenAnswers,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.management().StopInstance(ctx, &mgmtv1.StopInstanceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"reboot": {
			by: "admin", on: single, action: "reboot_instance", shown: "REBOOT", admits: whenAnswers,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.management().RebootInstance(ctx, &mgmtv1.RebootInstanceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"migrate": {
			by: "admin", on: single, action: "migrate_instance", shown: "ACTIVE",
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.management().MigrateInstance(ctx, &mgmtv1.MigrateInstanceRequest{ProjectId: project, InstanceId: id}))
			},
		},
		"rebuild": {
			by: "admin", on: single, action: "rebuild_instance", shown: "BUILD", admits: whenAnswers,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return told(w.management().RebuildInstance(ctx, &mgmtv1.RebuildInstanceRequest{
					ProjectId: project, InstanceId: id, ImageId: structpb.NewStringValue(image),
				}))
			},
		},
		"reset task status": {
			by: "admin", on: single, shown: "ACTIVE", admits: always,
			call: func(ctx context.Context, project, id string) (*taskv1.Task, *taskv1.Plan, error) {
				return toldAtOnce(w.management().ResetTaskStatus(ctx, &mgmtv1.ResetTaskStatusRequest{ProjectId: project, InstanceId: id}))
			},
		},
	}
}
