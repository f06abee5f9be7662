package api_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

const detailsHeader = "coffer-batch-details"

// withPolicy has the rules in place of the default ones.
func withPolicy(t *testing.T, rules string) option {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(rules), 0o600))
	return func(c *api.Config) { c.PolicyFile = path }
}

func list(values ...any) *structpb.Value {
	made, err := structpb.NewList(values)
	if err != nil {
		panic(err)
	}
	return structpb.NewListValue(made)
}

func idList(ids []string) *structpb.Value {
	values := make([]any, 0, len(ids))
	for _, id := range ids {
		values = append(values, id)
	}
	return list(values...)
}

// batch asks for the same of many.
func (w *world) batch(user, action string, ids []string, pairs ...string) ([]*dmsv1.Result, error) {
	answer, err := w.dms().BatchRestartOrDeleteInstances(w.as(user, pairs...), &dmsv1.BatchRestartOrDeleteInstancesRequest{
		ProjectId: w.project(user), Action: structpb.NewStringValue(action), Instances: idList(ids),
	})
	return answer.GetResults(), err
}

// words are a batch's results by their word, in the order asked.
func words(t *testing.T, ids []string, results []*dmsv1.Result) []string {
	t.Helper()
	require.Len(t, results, len(ids))
	list := make([]string, 0, len(results))
	for i, result := range results {
		assert.Equal(t, strings.ToLower(ids[i]), result.GetInstance())
		list = append(list, result.GetResult())
	}
	return list
}

func TestABatchAnswersForEachInTheOrderAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	fine, upper := w.old("demo", "fine"), w.old("demo", "upper")
	busy, young := w.old("demo", "busy"), w.create("demo", order("young")).GetInstance().GetId()
	w.mustDo("restart", busy)
	foreign, fenced := w.old("admin", "foreign"), w.ejected("demo")
	ids := []string{unknownID, fine, foreign, busy, strings.ToUpper(upper), young, fenced}
	results, err := w.batch("demo", "restart", ids)
	require.NoError(t, err)
	assert.Equal(t, []string{"failed", "success", "failed", "failed", "success", "failed", "failed"}, words(t, ids, results))
	for _, result := range results {
		assert.Nil(t, result.JobId)
		assert.Nil(t, result.Reason)
	}
	assert.Equal(t, []string{"REBOOT", "REBOOT"}, w.statuses(fine, upper))
	assert.Equal(t, "ACTIVE", w.get("admin", foreign).GetStatus())

	results, err = w.batch("demo", "delete", ids, detailsHeader, "true")
	require.NoError(t, err)
	assert.Equal(t, []string{"failed", "success", "failed", "success", "success", "failed", "success"}, words(t, ids, results))
	assert.Equal(t, "Resource "+unknownID+" cannot be found.", results[0].GetReason())
	assert.Equal(t, "Resource "+foreign+" cannot be found.", results[2].GetReason(), "as one that does not exist")
	assert.Equal(t, "Instance "+young+" is not ready. (Status is BUILD).", results[5].GetReason())
	assert.Equal(t, w.lastTask(fine), results[1].GetJobId())
	assert.Nil(t, results[1].Reason)
	again, err := w.batch("demo", "delete", ids[1:2], detailsHeader, "true")
	require.NoError(t, err)
	assert.Equal(t, results[1].GetJobId(), again[0].GetJobId(), "it is being deleted already: success")
	assert.Equal(t, "success", again[0].GetResult())
}

func TestABatchThatIsWrongAsAWholeStartsNothing(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	id := w.old("demo", "fine")
	many := make([]string, 51)
	for i := range many {
		many[i] = uuid.NewString()
	}
	many[0] = id
	text := structpb.NewStringValue
	before := w.state()
	for why, test := range map[string]struct {
		request *dmsv1.BatchRestartOrDeleteInstancesRequest
		reason  string
	}{
		"no action":          {&dmsv1.BatchRestartOrDeleteInstancesRequest{Instances: list(id)}, "BATCH_ACTION_UNKNOWN"},
		"null action":        {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: structpb.NewNullValue(), Instances: list(id)}, "BATCH_ACTION_UNKNOWN"},
		"another action":     {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("stop"), Instances: list(id)}, "BATCH_ACTION_UNKNOWN"},
		"another case":       {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("Restart"), Instances: list(id)}, "BATCH_ACTION_UNKNOWN"},
		"action as a number": {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: structpb.NewNumberValue(1), Instances: list(id)}, "BATCH_ACTION_UNKNOWN"},
		"no ids":             {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("restart")}, "BATCH_EMPTY"},
		"null ids":           {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("restart"), Instances: structpb.NewNullValue()}, "BATCH_EMPTY"},
		"empty ids":          {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list()}, "BATCH_EMPTY"},
		"ids as a text":      {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: text(id)}, "BATCH_PARAMETER_INVALID"},
		"a name":             {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list(id, "name")}, "BATCH_ID_INVALID"},
		"a number":           {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list(id, 5)}, "BATCH_ID_INVALID"},
		"a null":             {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list(id, nil)}, "BATCH_ID_INVALID"},
		"an id in braces":    {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list("{" + id + "}")}, "BATCH_ID_INVALID"},
		"one twice":          {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list(id, unknownID, id)}, "BATCH_ID_REPEATED"},
		"one in two cases":   {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), Instances: list(id, strings.ToUpper(id))}, "BATCH_ID_REPEATED"},
		"51":                 {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("restart"), Instances: idList(many)}, "BATCH_TOO_LARGE"},
		"failures restarted": {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("restart"), AllFailure: text("true")}, "BATCH_PARAMETER_INVALID"},
		"failures of cats":   {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), AllFailure: text("cats")}, "BATCH_PARAMETER_INVALID"},
		"failures: True":     {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), AllFailure: text("True")}, "BATCH_PARAMETER_INVALID"},
		"failures: empty":    {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), AllFailure: text("")}, "BATCH_PARAMETER_INVALID"},
		"failures: false":    {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), AllFailure: structpb.NewBoolValue(false)}, "BATCH_PARAMETER_INVALID"},
		"failures: 1":        {&dmsv1.BatchRestartOrDeleteInstancesRequest{Action: text("delete"), AllFailure: structpb.NewNumberValue(1)}, "BATCH_PARAMETER_INVALID"},
	} {
		test.request.ProjectId = w.project("demo")
		_, err := w.dms().BatchRestartOrDeleteInstances(w.as("demo"), test.request)
		require.Error(t, err, why)
		assert.Equal(t, test.reason, errs.From(err).Reason, why)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind, why)
	}
	for _, action := range []string{"restart", "delete"} {
		_, err := w.batch("reader", action, []string{id})
		require.ErrorContains(t, err, "Policy doesn't allow instance:"+action+" to be performed.")
	}
	assert.Equal(t, before, w.state())
}

func TestFiftyAreRestartedTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = w.old("demo", fmt.Sprint("one of many ", i))
	}
	results, err := w.batch("demo", "restart", ids)
	require.NoError(t, err)
	assert.NotContains(t, words(t, ids, results), "failed")
	for _, id := range ids {
		assert.Equal(t, "REBOOT", w.get("demo", id).GetStatus())
	}
}

func TestASourceGoesWithAllItsReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	source, one := w.pair("demo")
	two := w.replica("demo", source, "two")
	ids := []string{source, one}
	results, err := w.batch("demo", "delete", ids, detailsHeader, "true")
	require.NoError(t, err)
	assert.Equal(t, []string{"failed", "success"}, words(t, ids, results))
	assert.Equal(t, "Detach replicas before deleting replica source.", results[0].GetReason())

	other, three := w.pair("demo")
	ids = []string{source, other, two, three}
	results, err = w.batch("demo", "delete", ids)
	require.NoError(t, err)
	assert.Equal(t, []string{"success", "success", "success", "success"}, words(t, ids, results))
	assert.Equal(t, []string{"SHUTDOWN", "SHUTDOWN", "SHUTDOWN"}, w.statuses(source, one, two))
}

func TestABatchIsRepeatedUnderItsKey(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	ids := []string{w.old("demo", "one"), unknownID, w.old("demo", "two")}
	first, err := w.batch("demo", "restart", ids, keyHeader, "b", detailsHeader, "true")
	require.NoError(t, err)
	after := w.state()
	again, err := w.batch("demo", "restart", ids, keyHeader, "b", detailsHeader, "true")
	require.NoError(t, err)
	assert.Equal(t, words(t, ids, first), words(t, ids, again))
	assert.Equal(t, first[0].GetJobId(), again[0].GetJobId())
	_, err = w.batch("demo", "restart", ids[:2], keyHeader, "b")
	assert.True(t, errs.IsReason(err, "IDEMPOTENCY_KEY_REUSED"), "%v", err)
	assert.Equal(t, after, w.state())
}

func TestADryRunOfABatchChangesNothing(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	w.failure("demo", "mariadb", "failed")
	before := w.state()
	ids := []string{source, unknownID, replica}
	results, err := w.batch("demo", "delete", ids, dryRunHeader, "true", keyHeader, "dry")
	require.NoError(t, err)
	assert.Equal(t, []string{"success", "failed", "success"}, words(t, ids, results))
	require.NoError(t, w.deleteFailures(structpb.NewStringValue("true"), dryRunHeader, "true"))
	assert.Equal(t, before, w.state())
}

// failure is an instance whose creation failed.
func (w *world) failure(user, engine, name string) string {
	w.t.Helper()
	body := order(name)
	body.Datastore = &instancev1.NewDatastore{Type: &engine}
	created := w.create(user, body)
	w.complete(created.GetTask().GetId(), &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED, TaskStatus: "BUILDING_ERROR_VOLUME",
		Failure: &taskv1.TaskError{Code: "NO_SPACE", Step: "create_volume", Message: "no space"},
	})
	return created.GetInstance().GetId()
}

func (w *world) deleteFailures(which *structpb.Value, pairs ...string) error {
	answer, err := w.dms().BatchRestartOrDeleteInstances(w.as("demo", pairs...), &dmsv1.BatchRestartOrDeleteInstancesRequest{
		ProjectId: w.project("demo"), Action: structpb.NewStringValue("delete"), AllFailure: which,
		Instances: list("is", "ignored"),
	})
	assert.Empty(w.t, answer.GetResults(), "which is 204 on DMS's wire")
	return err
}

func TestOnlyWhatWasNeverActiveIsAFailedCreation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		which *structpb.Value
		gone  []string
	}{
		{structpb.NewStringValue("true"), []string{"mariadb", "postgresql", "cancelled"}},
		{structpb.NewBoolValue(true), []string{"mariadb", "postgresql", "cancelled"}},
		{structpb.NewStringValue("mariadb"), []string{"mariadb", "cancelled"}},
		{structpb.NewStringValue("postgresql"), []string{"postgresql"}},
		{structpb.NewStringValue("mysql"), nil},
		{structpb.NewStringValue("kafka"), nil},
	} {
		t.Run(test.which.String(), func(t *testing.T) {
			t.Parallel()
			w := newQuietWorld(t, roomy).offering(generous)
			all := map[string]string{
				"mariadb": w.failure("demo", "mariadb", "one"), "postgresql": w.failure("demo", "postgresql", "two"),
				"fine": w.old("demo", "fine"), "building": w.create("demo", order("building")).GetInstance().GetId(),
				"foreign": w.failure("admin", "mariadb", "foreign"),
			}
			cancelled := w.create("demo", order("cancelled"))
			require.NoError(t, w.cancel("demo", cancelled.GetTask().GetId()))
			all["cancelled"] = cancelled.GetInstance().GetId()
			// An instance that ran once is live data, whatever failed since.
			broken := w.old("demo", "broken")
			w.complete(w.mustDo("upgrade", broken).GetId(), &journalv1.FinishTaskRequest{
				Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED, TaskStatus: "BUILDING_ERROR_SERVER",
				Failure: &taskv1.TaskError{Code: "OLD", Step: "upgrade", Message: "no"},
			})
			require.Equal(t, "ERROR", w.get("demo", broken).GetStatus())
			all["broken"] = broken
			require.NoError(t, w.deleteFailures(test.which))
			for name, id := range all {
				deleted := w.get("admin", id).GetStatus() == "SHUTDOWN"
				assert.Equal(t, slices.Contains(test.gone, name), deleted, name)
			}
			require.NoError(t, w.deleteFailures(test.which), "again")
		})
	}
}

func TestMoreFailuresThanABatchHoldsAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = w.failure("demo", "mariadb", fmt.Sprint("failed ", i))
	}
	require.NoError(t, w.deleteFailures(structpb.NewStringValue("true")))
	for _, id := range ids {
		assert.Equal(t, "SHUTDOWN", w.get("demo", id).GetStatus())
	}
}
