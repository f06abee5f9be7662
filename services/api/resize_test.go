package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

func (w *world) resizeFlavor(id string, ref *structpb.Value, pairs ...string) (*instancev1.ResizeFlavorResponse, error) {
	return w.instances().ResizeFlavor(w.as("demo", pairs...),
		&instancev1.ResizeFlavorRequest{ProjectId: w.project("demo"), InstanceId: id, FlavorRef: ref})
}

func (w *world) resizeVolume(id string, size *structpb.Value, pairs ...string) (*instancev1.ResizeVolumeResponse, error) {
	return w.instances().ResizeVolume(w.as("demo", pairs...), &instancev1.ResizeVolumeRequest{
		ProjectId: w.project("demo"), InstanceId: id, Volume: &instancev1.ResizedVolume{Size: size},
	})
}

func TestAFlavorIsNamedByIDNumberOrURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	for name, ref := range map[string]*structpb.Value{
		"id": structpb.NewStringValue("2"), "number": structpb.NewNumberValue(2),
		"URL": structpb.NewStringValue("https://db.example.org/v1.0/x/flavors/2"),
	} {
		id := w.old("demo", name)
		accepted, err := w.resizeFlavor(id, ref)
		require.NoError(t, err, name)
		ordered := w.claim(accepted.GetTask().GetId()).GetCommand().GetResizeFlavor().GetFlavor()
		assert.Equal(t, "2", ordered.GetId())
		assert.Equal(t, int32(1024), ordered.GetRam())
		assert.Equal(t, "1", w.get("demo", id).GetFlavor().GetId(), "until it is done")
	}
}

func TestMemoryIsTakenAtOnceAndGivenBackWithTheFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withQuota(10, 2048, 40)).offering()
	id := w.old("demo", "growing")
	fits := func(flavor string) error {
		t.Helper()
		body := order("probe")
		body.FlavorRef = structpb.NewStringValue(flavor)
		_, err := w.instances().CreateInstance(w.as("demo", dryRunHeader, "true"),
			&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
		return err
	}
	require.NoError(t, fits("2"))
	_, err := w.resizeFlavor(id, structpb.NewStringValue("m1"))
	require.NoError(t, err, "2048 of 2048")
	require.ErrorContains(t, fits("1"), "Quota exceeded for resources: ['ram'].")
	task := w.lastTask(id)
	w.complete(task, &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED,
		Failure: &taskv1.TaskError{Code: "NO_HOST", Step: "resize_server", Message: "no host"},
		Fault:   &journalv1.Fault{Message: "resize_server: no host"},
	})
	require.NoError(t, fits("2"), "given back")
	shown := w.get("demo", id)
	assert.Equal(t, "ACTIVE", shown.GetStatus(), "back where it was, and the failure is told")
	assert.Equal(t, "resize_server: no host", shown.GetFault().GetMessage())
	assert.Equal(t, "1", shown.GetFlavor().GetId())

	// Succeeding, it is the row that holds the memory; going back frees it at the end alone.
	_, err = w.resizeFlavor(id, structpb.NewStringValue("m1"))
	require.NoError(t, err)
	w.complete(w.lastTask(id), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{
		Flavor: &commandv1.Flavor{Id: "m1", Ram: 2048},
	}})
	assert.Equal(t, "m1", w.get("demo", id).GetFlavor().GetId())
	assert.Nil(t, w.get("demo", id).GetFault(), "success takes the fault away")
	require.ErrorContains(t, fits("1"), "['ram']")
	_, err = w.resizeFlavor(id, structpb.NewStringValue("1"))
	require.NoError(t, err)
	require.ErrorContains(t, fits("1"), "['ram']")
	w.complete(w.lastTask(id), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{
		Flavor: &commandv1.Flavor{Id: "1", Ram: 512},
	}})
	require.NoError(t, fits("2"))

	require.NoError(t, fits("2"))
	w.create("demo", order("other"))
	_, err = w.resizeFlavor(id, structpb.NewStringValue("m1"))
	require.ErrorContains(t, err, "Quota exceeded for resources: ['ram'].")
	assert.Equal(t, errs.OverQuota, errs.From(err).Kind)
	assert.Equal(t, "ACTIVE", w.get("demo", id).GetStatus())
}

// lastTask is the id of an instance's newest task.
func (w *world) lastTask(instanceID string) string {
	w.t.Helper()
	listed, err := w.tasks().ListTasks(w.as("demo"),
		&taskv1.ListTasksRequest{ProjectId: w.project("demo"), InstanceId: instanceID, Limit: "1"})
	require.NoError(w.t, err)
	require.NotEmpty(w.t, listed.GetTasks())
	return listed.GetTasks()[0].GetId()
}

func TestRefusedFlavorsSayWhy(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	id := w.old("demo", "small")
	before := w.state()
	for says, ref := range map[string]*structpb.Value{
		"Validation error: resize 'flavorRef' is a required property":                        nil,
		"Validation error: resize['flavorRef'] is not a string or an integer":                structpb.NewBoolValue(true),
		"Validation error: resize['flavorRef'] 1.5 is not a string or an integer":            structpb.NewNumberValue(1.5),
		"Validation error: resize['flavorRef'] '' is neither the id nor the URL of a flavor": structpb.NewStringValue(""),
		"Resource 99 cannot be found.":                                                       structpb.NewNumberValue(99),
		"The new flavor id must be different than the current flavor id of '1'.":             structpb.NewNumberValue(1),
	} {
		_, err := w.resizeFlavor(id, ref)
		require.ErrorContains(t, err, says)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind, says)
	}
	_, err := w.resizeFlavor(id, structpb.NewNullValue())
	require.ErrorContains(t, err, "'flavorRef' is a required property")
	assert.Equal(t, before, w.state())
}

func TestRefusedVolumesSayWhy(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withQuota(10, -1, 6)).offering()
	id := w.old("demo", "small")
	_, err := w.resizeVolume(id, structpb.NewNumberValue(3))
	require.NoError(t, err)
	w.complete(w.lastTask(id), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{VolumeSize: proto.Int32(3)}})
	before := w.state()
	for _, test := range []struct {
		size *structpb.Value
		kind errs.Kind
		says string
	}{
		{nil, errs.Invalid, "Volume size was not specified."},
		{structpb.NewNullValue(), errs.Invalid, "Volume size was not specified."},
		{structpb.NewNumberValue(0), errs.Invalid, "Validation error: resize['volume']['size'] 0 is less than the minimum of 1"},
		{structpb.NewNumberValue(-1), errs.Invalid, "Validation error: resize['volume']['size'] -1 is less than the minimum of 1"},
		{structpb.NewNumberValue(1.5), errs.Invalid, "Validation error: resize['volume']['size'] 1.5 is not an integer of at least 1"},
		{structpb.NewStringValue("big"), errs.Invalid, "Validation error: resize['volume']['size'] 'big' does not match '^[0-9]+$'"},
		{structpb.NewBoolValue(true), errs.Invalid, "Validation error: resize['volume']['size'] is not an integer or a string of digits"},
		{structpb.NewNumberValue(3), errs.Invalid, "The new volume 'size' must be larger than the current volume size of '3'."},
		{structpb.NewStringValue("2"), errs.Invalid, "The new volume 'size' must be larger than the current volume size of '3'."},
		{structpb.NewNumberValue(11), errs.OverQuota, "Volume 'size' cannot exceed maximum of 10 GB, 11 cannot be accepted."},
		{structpb.NewNumberValue(7), errs.OverQuota, "Quota exceeded for resources: ['volumes']."},
	} {
		_, err := w.resizeVolume(id, test.size)
		require.ErrorContains(t, err, test.says)
		assert.Equal(t, test.kind, errs.From(err).Kind, test.says)
	}
	_, err = w.instances().ResizeVolume(w.as("demo"),
		&instancev1.ResizeVolumeRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.ErrorContains(t, err, "Volume size was not specified.")
	assert.Equal(t, before, w.state())
	w.serviceIs(id, "PAUSED")
	_, err = w.resizeVolume(id, structpb.NewNumberValue(2))
	assert.True(t, errs.IsKind(err, errs.Invalid), "the size is looked at before the state: %v", err)
}

func TestTheReplicasGrowWithTheirSource(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withQuota(10, -1, 9)).offering(generous)
	source, one := w.pair("demo")
	two := w.replica("demo", source, "two")
	_, err := w.resizeVolume(two, structpb.NewNumberValue(3))
	require.NoError(t, err, "a replica may be larger")
	assert.Equal(t, "ACTIVE", w.get("demo", source).GetStatus(), "and grows alone")
	w.complete(w.lastTask(two), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{VolumeSize: proto.Int32(3)}})

	before := w.state()
	dry, err := w.resizeVolume(source, structpb.NewNumberValue(3), dryRunHeader, "true")
	require.NoError(t, err)
	assert.Equal(t, []string{one}, dry.GetPlan().GetMembers(), "the other one is large enough")
	assert.Equal(t, source, dry.GetPlan().GetInstanceId())
	assert.Equal(t, before, w.state())

	accepted, err := w.resizeVolume(source, structpb.NewStringValue("3"))
	require.NoError(t, err)
	assert.Equal(t, source, accepted.GetTask().GetInstanceId())
	for id, want := range map[string]string{source: "RESIZE", one: "RESIZE", two: "ACTIVE"} {
		assert.Equal(t, want, w.get("demo", id).GetStatus())
	}
	for _, id := range []string{source, one} {
		claimed := w.complete(w.lastTask(id), &journalv1.FinishTaskRequest{
			Instance: &journalv1.InstancePatch{VolumeSize: proto.Int32(3)},
		})
		assert.Equal(t, int32(3), claimed.GetCommand().GetResizeVolume().GetSize())
		assert.Equal(t, int32(3), w.get("demo", id).GetVolume().GetSize())
	}

	// 9 GiB are taken now, so not even one of them could grow.
	_, err = w.resizeVolume(source, structpb.NewNumberValue(4))
	require.ErrorContains(t, err, "Quota exceeded for resources: ['volumes'].")
}

func TestASourceGrowsOnlyIfAllItsReplicasCan(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withQuota(10, -1, 5)).offering()
	source, one := w.pair("demo")
	w.replica("demo", source, "two")
	before := w.state()
	_, err := w.resizeVolume(source, structpb.NewNumberValue(2))
	require.ErrorContains(t, err, "Quota exceeded for resources: ['volumes'].")
	assert.Equal(t, before, w.state(), "the two that fit do not grow either")

	_, _, err = w.operations()["restart"].call(w.as("demo"), w.project("demo"), one)
	require.NoError(t, err)
	before = w.state()
	_, err = w.resizeVolume(source, structpb.NewNumberValue(2))
	require.ErrorContains(t, err, "Instance "+one+
		" is not currently available for an action to be performed (task status was REBOOTING).")
	assert.Equal(t, errs.WrongState, errs.From(err).Kind)
	assert.Equal(t, before, w.state())
}
