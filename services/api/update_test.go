package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// put and patch are Trove's two ways to update.
func (w *world) put(id string, body *instancev1.InstanceUpdate) (*taskv1.Task, error) {
	answer, err := w.instances().UpdateInstance(w.as("demo"),
		&instancev1.UpdateInstanceRequest{ProjectId: w.project("demo"), InstanceId: id, Instance: body})
	return answer.GetTask(), err
}

func (w *world) patch(id string, body *instancev1.InstanceUpdate) (*taskv1.Task, error) {
	answer, err := w.instances().EditInstance(w.as("demo"),
		&instancev1.EditInstanceRequest{ProjectId: w.project("demo"), InstanceId: id, Instance: body})
	return answer.GetTask(), err
}

func TestANameMayComeAlongWithAnotherChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	_, replica := w.pair("demo")
	task, err := w.patch(replica, &instancev1.InstanceUpdate{
		Name: structpb.NewStringValue("independent"), ReplicaOf: structpb.NewNullValue(),
	})
	require.NoError(t, err)
	assert.Equal(t, "detach_replica", task.GetAction())
	assert.Equal(t, "independent", task.GetInstanceName())
	assert.Equal(t, "independent", w.get("demo", replica).GetName())

	id := w.old("demo", "first")
	for _, update := range []func(string, *instancev1.InstanceUpdate) (*taskv1.Task, error){w.put, w.patch} {
		task, err = update(id, &instancev1.InstanceUpdate{
			Name: structpb.NewStringValue("second"), Configuration: structpb.NewNullValue(),
		})
		require.NoError(t, err)
		assert.Nil(t, task)
		assert.Equal(t, "second", w.get("demo", id).GetName())
	}
}

func TestARefusedUpdateRenamesNothing(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	id := w.old("demo", "first")
	before := w.state()
	text, null := structpb.NewStringValue, structpb.NewNullValue
	name := text("second")
	for why, test := range map[string]struct {
		body *instancev1.InstanceUpdate
		kind errs.Kind
		says string
	}{
		"no body":                 {nil, errs.Invalid, "Validation error: 'instance' is a required property"},
		"null name":               {&instancev1.InstanceUpdate{Name: null()}, errs.Invalid, "Validation error: instance['name'] is not of type 'string'"},
		"number as a name":        {&instancev1.InstanceUpdate{Name: structpb.NewNumberValue(5)}, errs.Invalid, "Validation error: instance['name'] is not of type 'string'"},
		"empty name":              {&instancev1.InstanceUpdate{Name: text("")}, errs.Invalid, "Validation error: instance['name'] '' is too short; it must have 1 to 255 characters"},
		"long name":               {&instancev1.InstanceUpdate{Name: text(strings.Repeat("x", 256))}, errs.Invalid, "Validation error: instance['name'] is too long"},
		"name of signs":           {&instancev1.InstanceUpdate{Name: text("--")}, errs.Invalid, "must contain a letter or a digit"},
		"two changes":             {&instancev1.InstanceUpdate{Configuration: null(), ReplicaOf: null()}, errs.Invalid, "Only one attribute (except 'name') is allowed to update."},
		"two changes and a name":  {&instancev1.InstanceUpdate{Name: name, Access: object(nil), DatastoreVersion: text("10.11")}, errs.Invalid, "Only one attribute (except 'name') is allowed to update."},
		"both names of one":       {&instancev1.InstanceUpdate{ReplicaOf: null(), SlaveOf: null()}, errs.Invalid, "Only one attribute (except 'name') is allowed to update."},
		"unknown group":           {&instancev1.InstanceUpdate{Configuration: text(unknownID)}, errs.NotFound, "Configuration group id: " + unknownID + " could not be found."},
		"unknown group by URL":    {&instancev1.InstanceUpdate{Configuration: text("https://x/configurations/" + unknownID)}, errs.NotFound, "Configuration group id: " + unknownID + " could not be found."},
		"unknown group, and name": {&instancev1.InstanceUpdate{Name: name, Configuration: text(unknownID)}, errs.NotFound, "Configuration group id: " + unknownID + " could not be found."},
		"empty group":             {&instancev1.InstanceUpdate{Configuration: text("")}, errs.Invalid, "Validation error: instance['configuration'] '' is neither the id nor the URL of a configuration group"},
		"group as a number":       {&instancev1.InstanceUpdate{Name: name, Configuration: structpb.NewNumberValue(1)}, errs.Invalid, "Validation error: instance['configuration'] is not a string"},
		"detaching a source":      {&instancev1.InstanceUpdate{Name: name, ReplicaOf: text(unknownID)}, errs.Invalid, "Instance " + id + " is not a replica."},
		"unknown version":         {&instancev1.InstanceUpdate{Name: name, DatastoreVersion: text("5.5")}, errs.Invalid, "Datastore version '5.5' cannot be found."},
	} {
		_, err := w.put(id, test.body)
		require.ErrorContains(t, err, test.says, why)
		assert.Equal(t, test.kind, errs.From(err).Kind, why)
		_, err = w.patch(id, test.body)
		if why != "two changes and a name" { // PATCH refuses access before it counts.
			require.ErrorContains(t, err, test.says, why)
		}
	}
	_, err := w.patch(id, &instancev1.InstanceUpdate{Name: name, Access: object(nil)})
	require.ErrorContains(t, err, "Additional properties are not allowed ('access' was unexpected)")
	assert.Equal(t, before, w.state())
}

func TestAnUnnamedGroupIsDetachedInAnyState(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	id := w.create("demo", order("young")).GetInstance().GetId()
	before := w.state()
	for _, body := range []*instancev1.InstanceUpdate{{}, {Configuration: structpb.NewNullValue()}} {
		task, err := w.put(id, body)
		require.NoError(t, err)
		assert.Nil(t, task)
	}
	assert.Equal(t, before, w.state())
}

func TestWhatAnAccessDoesNotSayStaysAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	body := oldOrder("guarded")
	no := false
	body.Access = &instancev1.NewAccess{IsPublic: &no, AllowedCidrs: []string{"10.0.0.0/8"}}
	id := w.activate("demo", body).GetId()
	change := func(said map[string]any) *commandv1.Access {
		t.Helper()
		task, err := w.put(id, &instancev1.InstanceUpdate{Access: object(said)})
		require.NoError(t, err)
		assert.Equal(t, "ACTIVE", w.get("demo", id).GetStatus(), "UPDATING has no word of its own")
		assert.Empty(t, w.get("demo", id).GetOperatingStatus())
		claimed := w.claim(task.GetId())
		ordered := claimed.GetCommand().GetUpdateAccess().GetAccess()
		w.finish(claimed.GetRun(), &journalv1.FinishTaskRequest{
			TaskStatus: "NONE", Instance: &journalv1.InstancePatch{Access: ordered},
		})
		return ordered
	}
	ordered := change(map[string]any{"is_public": true})
	assert.True(t, ordered.GetIsPublic())
	assert.Equal(t, []string{"10.0.0.0/8"}, ordered.GetAllowedCidrs())
	ordered = change(map[string]any{"allowed_cidrs": []any{"192.168.0.0/16", "172.16.0.0/12"}})
	assert.True(t, ordered.GetIsPublic())
	assert.Equal(t, []string{"192.168.0.0/16", "172.16.0.0/12"}, ordered.GetAllowedCidrs())
	change(map[string]any{})
	shown := w.get("demo", id).GetAccess()
	assert.True(t, shown.GetIsPublic())
	assert.Equal(t, []string{"192.168.0.0/16", "172.16.0.0/12"}, shown.GetAllowedCidrs())
}

func TestRefusedAccessesSayWhy(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	id := w.old("demo", "guarded")
	before := w.state()
	for why, test := range map[string]struct {
		access *structpb.Value
		says   string
	}{
		"null":         {structpb.NewNullValue(), "Validation error: instance['access'] is not of type 'object'"},
		"text":         {structpb.NewStringValue("all"), "Validation error: instance['access'] is not of type 'object'"},
		"text as flag": {object(map[string]any{"is_public": "True"}), "'is_public' is not allowed so"},
		"null as flag": {object(map[string]any{"is_public": nil}), "'is_public' is not allowed so"},
		"flag as list": {object(map[string]any{"allowed_cidrs": true}), "'allowed_cidrs' is not allowed so"},
		"list as flag": {object(map[string]any{"is_public": []any{}}), "'is_public' is not allowed so"},
		"unknown key":  {object(map[string]any{"public": true}), "'public' is not allowed so"},
		"empty list":   {object(map[string]any{"allowed_cidrs": []any{}}), "is empty, so that nobody could connect"},
		"no network":   {object(map[string]any{"allowed_cidrs": []any{"300.0.0.0/8"}}), "'300.0.0.0/8' is not an IPv4 CIDR"},
		"number":       {object(map[string]any{"allowed_cidrs": []any{8}}), "'' is not an IPv4 CIDR"},
		"six":          {object(map[string]any{"allowed_cidrs": []any{"::/0"}}), "'::/0' is not an IPv4 CIDR"},
		"twice":        {object(map[string]any{"allowed_cidrs": []any{"0.0.0.0/0", "0.0.0.0/0"}}), "'0.0.0.0/0' is given more than once"},
		"public":       {object(map[string]any{"is_public": true}), "The provider 'local' cannot give public addresses"},
		"restricted":   {object(map[string]any{"allowed_cidrs": []any{"10.0.0.0/8"}}), "The provider 'local' cannot restrict who connects"},
	} {
		_, err := w.put(id, &instancev1.InstanceUpdate{Access: test.access})
		require.ErrorContains(t, err, test.says, why)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind, why)
	}
	assert.Equal(t, before, w.state())
}

func TestTheConfigurationShownIsTheTemplateForTheFlavor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	configuration := func(id string) map[string]*structpb.Value {
		t.Helper()
		shown, err := w.instances().GetInstanceConfiguration(w.as("reader"),
			&instancev1.GetInstanceConfigurationRequest{ProjectId: w.project("reader"), InstanceId: id})
		require.NoError(t, err)
		for name, value := range shown.GetInstance().GetConfiguration().GetFields() {
			assert.IsType(t, &structpb.Value_StringValue{}, value.GetKind(), name)
		}
		return shown.GetInstance().GetConfiguration().GetFields()
	}
	small := w.old("demo", "small")
	body := oldOrder("large")
	body.FlavorRef = structpb.NewStringValue("m1")
	large := w.activate("demo", body).GetId()
	assert.NotEmpty(t, configuration(small)["innodb_buffer_pool_size"].GetStringValue())
	assert.NotEqual(t, configuration(small)["innodb_buffer_pool_size"].GetStringValue(),
		configuration(large)["innodb_buffer_pool_size"].GetStringValue())
	assert.NotEmpty(t, configuration(w.postgresql("other"))["shared_buffers"].GetStringValue())
}

func TestAnInstanceHasNoBackupsYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.old("demo", "young")
	ask := func(user, id, limit, marker string) (*instancev1.ListInstanceBackupsResponse, error) {
		return w.instances().ListInstanceBackups(w.as(user), &instancev1.ListInstanceBackupsRequest{
			ProjectId: w.project(user), InstanceId: id, Limit: limit, Marker: marker,
		})
	}
	listed, err := ask("reader", id, "5", "10")
	require.NoError(t, err)
	assert.Empty(t, listed.GetBackups())
	for _, wrong := range [][2]string{{"x", ""}, {"-1", ""}, {"", "x"}, {"", "-1"}} {
		_, err = ask("demo", id, wrong[0], wrong[1])
		assert.True(t, errs.IsKind(err, errs.Invalid), "%v: %v", wrong, err)
	}
	for _, unknown := range []string{unknownID, "name", w.old("admin", "foreign")} {
		_, err = ask("demo", unknown, "", "")
		require.ErrorContains(t, err, "Resource "+unknown+" cannot be found.")
		_, err = w.instances().GetInstanceConfiguration(w.as("demo"),
			&instancev1.GetInstanceConfigurationRequest{ProjectId: w.project("demo"), InstanceId: unknown})
		require.ErrorContains(t, err, "Resource "+unknown+" cannot be found.")
	}
}
