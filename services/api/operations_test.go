package api_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

const dryRunHeader = "coffer-dry-run"

// version is the id of a datastore version.
func (w *world) version(datastore, name string) string {
	w.t.Helper()
	shown, err := datastorev1.NewDatastoreServiceClient(w.public).GetDatastoreVersion(w.as("demo"),
		&datastorev1.GetDatastoreVersionRequest{ProjectId: w.project("demo"), Datastore: datastore, Version: name})
	require.NoError(w.t, err)
	return shown.GetVersion().GetId()
}

// everyOne has a world that offers all, and runs a check for each operation.
func everyOne(t *testing.T, w *world, check func(t *testing.T, name string, o operation)) {
	t.Helper()
	for name, o := range w.operations() {
		t.Run(name, func(t *testing.T) { check(t, name, o) })
	}
}

func TestEveryOperationIsATaskThatShowsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, name string, o operation) {
		id := o.on("demo")
		if name == "stop" { // It answers after its task's end, so another test has it.
			return
		}
		task, plan, err := o.call(w.as(o.by), w.project(o.by), id)
		require.NoError(t, err)
		assert.Nil(t, plan)
		assert.Equal(t, o.shown, w.get("demo", id).GetStatus())
		if o.action == "" {
			assert.Nil(t, task)
			return
		}
		assert.Equal(t, o.action, task.GetAction())
		assert.Equal(t, "QUEUED", task.GetStatus())
		assert.Equal(t, id, task.GetInstanceId())
		assert.Empty(t, w.get("demo", id).GetOperatingStatus())
		claimed := w.claim(task.GetId())
		assert.Equal(t, w.project("demo"), claimed.GetCommand().GetProjectId(), "the instance's, whoever asked")
		assert.Equal(t, task.GetRequestId(), claimed.GetCommand().GetRequestId())
		assert.NotNil(t, claimed.GetCommand().GetAction())
		w.finish(claimed.GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE"})
		assert.Equal(t, "SUCCEEDED", w.task("demo", task.GetId()).GetStatus())
	})
}

func TestADryRunChecksAllAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, _ string, o operation) {
		id := o.on("demo")
		before := w.state()
		task, plan, err := o.call(w.as(o.by, dryRunHeader, "true", keyHeader, "dry"), w.project(o.by), id)
		require.NoError(t, err)
		assert.Nil(t, task)
		require.NotNil(t, plan)
		assert.Equal(t, id, plan.GetInstanceId())
		assert.NotEmpty(t, plan.GetDowntime())
		if o.action == "" {
			assert.NotEmpty(t, plan.GetAction())
			assert.Empty(t, plan.GetSteps())
		} else {
			assert.Equal(t, o.action, plan.GetAction())
			require.Len(t, plan.GetSteps(), 2)
			assert.Equal(t, "prepare_"+o.action, plan.GetSteps()[0].GetName())
			assert.Equal(t, []bool{true, false}, []bool{plan.GetSteps()[0].GetUndoable(), plan.GetSteps()[1].GetUndoable()})
		}
		assert.Equal(t, before, w.state(), "rows, quota, keys and messages")

		_, plan, err = o.call(w.as(o.by, dryRunHeader, "true"), w.project(o.by), unknownID)
		assert.True(t, errs.IsKind(err, errs.NotFound), "%v", err)
		assert.Nil(t, plan)
	})
}

func TestADryRunOfAnythingElseThanTrueIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	for _, flag := range []string{"false", "", "yes"} {
		created, err := w.instances().CreateInstance(w.as("demo", dryRunHeader, flag),
			&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("real")})
		require.NoError(t, err)
		assert.NotNil(t, created.GetTask(), flag)
	}
}

func TestADryRunOfACreationTellsOfTheInstanceToCome(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withQuota(1, -1, 40)).offering(generous)
	body := order("imagined")
	body.Users = []*instancev1.NewUser{{Name: "app", Password: "planted"}}
	before := w.state()
	for range 2 {
		created, err := w.instances().CreateInstance(w.as("demo", dryRunHeader, "true"),
			&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
		require.NoError(t, err, "the quota was not taken")
		assert.Nil(t, created.GetTask())
		assert.Equal(t, "create_instance", created.GetPlan().GetAction())
		assert.Equal(t, created.GetInstance().GetId(), created.GetPlan().GetInstanceId())
		assert.Len(t, created.GetPlan().GetSteps(), 2)
	}
	body.Volume = nil
	_, err := w.instances().CreateInstance(w.as("demo", dryRunHeader, "true"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
	require.ErrorContains(t, err, "Volume size was not specified.")
	assert.Equal(t, before, w.state())
	w.create("demo", order("real"))
	_, err = w.instances().CreateInstance(w.as("demo", dryRunHeader, "true"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("beyond")})
	require.ErrorContains(t, err, "Quota exceeded for resources: ['instances'].")
}

func TestEveryOperationFindsNothingOfOthers(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, _ string, o operation) {
		ids := map[string]string{"unknown": unknownID, "a name": "my-name", "none": ""}
		if o.by == "demo" {
			ids["foreign"] = o.on("admin")
		}
		before := w.state()
		for why, id := range ids {
			_, _, err := o.call(w.as(o.by), w.project(o.by), id)
			require.ErrorContains(t, err, "Resource "+id+" cannot be found.", why)
			assert.Equal(t, errs.NotFound, errs.From(err).Kind, why)
			assert.Equal(t, "NOT_FOUND", errs.From(err).Reason, why)
		}
		assert.Equal(t, before, w.state())
	})
}

func TestOnlyWhoMayChangesAnInstance(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, _ string, o operation) {
		id := o.on("demo")
		before := w.state()
		_, _, err := o.call(t.Context(), w.project("demo"), id)
		require.ErrorContains(t, err, "The request you have made requires authentication.")
		_, _, err = o.call(w.as("admin"), w.project("demo"), id)
		require.ErrorContains(t, err, "User with tenant id "+w.project("admin")+" cannot access this resource.")

		intruders := []string{"reader"}
		if o.by == "admin" {
			intruders = append(intruders, "demo")
		}
		for _, intruder := range intruders {
			_, _, err = o.call(w.as(intruder), w.project(intruder), id)
			if o.management() {
				require.ErrorContains(t, err, "User does not have admin privileges.", intruder)
				assert.Equal(t, errs.Unauthenticated, errs.From(err).Kind)
				continue
			}
			require.ErrorContains(t, err, "Policy doesn't allow "+o.rule+" to be performed.", intruder)
			assert.Equal(t, errs.Forbidden, errs.From(err).Kind)
			_, _, err = o.call(w.as(intruder), w.project(intruder), unknownID)
			assert.True(t, errs.IsKind(err, errs.NotFound), "not found comes before forbidden")
		}
		assert.Equal(t, before, w.state())
	})
}

func TestManagementSaysNothingToOthers(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	project := w.project("demo")
	for name, call := range map[string]func(context.Context) error{
		"list": func(ctx context.Context) error {
			_, err := w.management().ListManagedInstances(ctx, &mgmtv1.ListManagedInstancesRequest{ProjectId: project, Limit: "x"})
			return err
		},
		"show": func(ctx context.Context) error {
			_, err := w.management().GetManagedInstance(ctx, &mgmtv1.GetManagedInstanceRequest{ProjectId: project, InstanceId: "x"})
			return err
		},
		"rebuild from nothing": func(ctx context.Context) error {
			_, err := w.management().RebuildInstance(ctx, &mgmtv1.RebuildInstanceRequest{ProjectId: project, InstanceId: "x"})
			return err
		},
		"stop nothing": func(ctx context.Context) error {
			_, err := w.management().StopInstance(ctx, &mgmtv1.StopInstanceRequest{ProjectId: project, InstanceId: "x"})
			return err
		},
	} {
		for _, user := range []string{"demo", "reader"} {
			err := call(w.as(user))
			require.ErrorContains(t, err, "User does not have admin privileges.", name)
			assert.True(t, errs.IsReason(err, "NOT_ADMIN"), name)
		}
		err := call(metadata.AppendToOutgoingContext(t.Context(), "x-auth-token", "forged"))
		require.ErrorContains(t, err, "The request you have made requires authentication.", name)
	}
}

func TestOfManyAtOnceOneIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, name string, o operation) {
		if o.action == "" || name == "stop" {
			return
		}
		id := o.on("demo")
		accepted, refused := race(w.as(o.by), o, w.project(o.by), id)
		switch o.admits {
		case unlessBuilding:
			assert.Empty(t, refused)
			for _, task := range accepted[1:] {
				assert.Equal(t, accepted[0].GetId(), task.GetId(), "all join the first")
			}
		case whenAnswers:
			assert.Empty(t, refused, "they wait for each other")
		default:
			assert.Len(t, accepted, 1)
			for _, err := range refused {
				assert.Equal(t, errs.WrongState, errs.From(err).Kind, "%v", err)
			}
		}
	})
}

// race asks for the same several times at once.
func race(ctx context.Context, o operation, project, id string) (accepted []*taskv1.Task, refused []error) {
	var mu sync.Mutex
	var calls sync.WaitGroup
	for range 6 {
		calls.Go(func() {
			task, _, err := o.call(ctx, project, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused = append(refused, err)
				return
			}
			accepted = append(accepted, task)
		})
	}
	calls.Wait()
	return accepted, refused
}

func TestTheSameKeyMakesEveryOperationHappenOnce(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, name string, o operation) {
		if name == "stop" {
			return
		}
		id, other := o.on("demo"), o.on("demo")
		ctx := w.as(o.by, keyHeader, name)
		first, _, err := o.call(ctx, w.project(o.by), id)
		require.NoError(t, err)
		after := w.state()
		again, _, err := o.call(ctx, w.project(o.by), id)
		require.NoError(t, err)
		assert.Equal(t, first.GetId(), again.GetId())
		assert.Equal(t, after, w.state())
		if name == "detach configuration" { // It does nothing, so it remembers nothing.
			return
		}
		_, _, err = o.call(ctx, w.project(o.by), other)
		assert.True(t, errs.IsReason(err, "IDEMPOTENCY_KEY_REUSED"), "%v", err)
		assert.Equal(t, after, w.state())
	})
}

func TestWhatIsBeingBuiltAdmitsNothingThatNeedsAServer(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	source := w.old("demo", "source")
	everyOne(t, w, func(t *testing.T, name string, o operation) {
		id := w.create("demo", oldOrder("young")).GetInstance().GetId()
		if name == "promote" || o.action == "detach_replica" {
			id = w.replicate("demo", source, "young").GetInstance().GetId()
		}
		_, _, err := o.call(w.as(o.by), w.project(o.by), id)
		switch o.admits {
		case always:
			require.NoError(t, err)
		case whenDead:
			require.ErrorContains(t, err, "Instance "+id+" is not a replica source.")
		case unlessBuilding:
			require.ErrorContains(t, err, "Instance "+id+" is not ready. (Status is BUILD).")
		case whenIdle:
			require.ErrorContains(t, err, "(task status was BUILDING).")
		default:
			require.ErrorContains(t, err, "Instance "+id+" is not ready.")
			assert.Equal(t, errs.WrongState, errs.From(err).Kind)
		}
	})
}

func TestRuleRNamesTheStateThatForbids(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, name string, o operation) {
		if o.admits != whenReady {
			return
		}
		for _, state := range []struct {
			says   string
			become func(id string)
		}{
			{"(instance status was ERROR).", func(id string) { w.serverIs(id, "ERROR") }},
			{"(instance status was UNKNOWN).", func(id string) { w.serverIs(id, "SUSPENDED") }},
			{"(instance status was SHUTDOWN).", func(id string) { w.serviceIs(id, "PAUSED") }},
			{"(instance status was FAILED).", func(id string) { w.serviceIs(id, "FAILED") }},
			{"(task status was REBOOTING).", func(id string) {
				_, err := w.management().RebootInstance(w.as("admin"),
					&mgmtv1.RebootInstanceRequest{ProjectId: w.project("admin"), InstanceId: id})
				require.NoError(t, err)
			}},
		} {
			id := o.on("demo")
			state.become(id)
			before := w.state()
			_, _, err := o.call(w.as(o.by), w.project(o.by), id)
			require.ErrorContains(t, err,
				"Instance "+id+" is not currently available for an action to be performed "+state.says, name)
			assert.Equal(t, errs.WrongState, errs.From(err).Kind)
			assert.Equal(t, before, w.state())
		}
		for _, fine := range []string{"RUNNING", "SHUTDOWN", "CRASHED", "BLOCKED", "HEALTHY", "RESTART_REQUIRED"} {
			id := o.on("demo")
			w.serviceIs(id, fine)
			_, _, err := o.call(w.as(o.by, dryRunHeader, "true"), w.project(o.by), id)
			require.NoError(t, err, fine)
		}
	})
}

func TestAnEjectedSourceCanOnlyBeDeletedAndReset(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	everyOne(t, w, func(t *testing.T, _ string, o operation) {
		id := w.ejected("demo")
		_, _, err := o.call(w.as(o.by), w.project(o.by), id)
		if o.admits == always || o.admits == unlessBuilding {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, "Instance "+id+" was ejected from its replication set")
		assert.Equal(t, errs.WrongState, errs.From(err).Kind)
	})
	id, name := w.ejected("demo"), "late"
	assert.Equal(t, "It was ejected; its data are kept; delete it.", w.get("demo", id).GetFault().GetMessage())
	_, err := w.instances().CreateInstance(w.as("demo"), &instancev1.CreateInstanceRequest{
		ProjectId: w.project("demo"), Instance: &instancev1.NewInstance{Name: &name, ReplicaOf: &id},
	})
	assert.True(t, errs.IsReason(err, "FENCED"), "%v", err)
}
