package api_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	identityv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/identity/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// attempts are calls about an instance and its task, as a client of the project would make them.
func attempts(w *world, project, instanceID, taskID string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"show": func(ctx context.Context) error {
			_, err := w.instances().GetInstance(ctx, &instancev1.GetInstanceRequest{ProjectId: project, InstanceId: instanceID})
			return err
		},
		"restart": func(ctx context.Context) error {
			_, err := w.instances().RestartInstance(ctx,
				&instancev1.RestartInstanceRequest{ProjectId: project, InstanceId: instanceID})
			return err
		},
		"delete": func(ctx context.Context) error {
			_, err := w.instances().DeleteInstance(ctx,
				&instancev1.DeleteInstanceRequest{ProjectId: project, InstanceId: instanceID})
			return err
		},
		"show task": func(ctx context.Context) error {
			_, err := w.tasks().GetTask(ctx, &taskv1.GetTaskRequest{ProjectId: project, TaskId: taskID})
			return err
		},
		"cancel task": func(ctx context.Context) error {
			_, err := w.tasks().CancelTask(ctx, &taskv1.CancelTaskRequest{ProjectId: project, TaskId: taskID})
			return err
		},
	}
}

func TestNobodyGetsInWithoutAGoodToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("mine"))
	for name, attempt := range attempts(w, w.project("demo"), created.GetInstance().GetId(), created.GetTask().GetId()) {
		for _, token := range []string{"", "forged"} {
			err := attempt(metadata.AppendToOutgoingContext(t.Context(), "x-auth-token", token))
			require.ErrorContains(t, err, "The request you have made requires authentication.", name)
			assert.True(t, errs.IsKind(err, errs.Unauthenticated), name)
		}
	}
}

func TestTheProjectOfARequestMustBeTheTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("mine"))
	for name, attempt := range attempts(w, w.project("demo"), created.GetInstance().GetId(), created.GetTask().GetId()) {
		err := attempt(w.as("admin"))
		require.ErrorContains(t, err, "User with tenant id "+w.project("admin")+" cannot access this resource.", name)
		assert.True(t, errs.IsKind(err, errs.Forbidden), name)
	}
	access := identityv1.NewAccessServiceClient(w.public)
	_, err := access.CheckAccess(w.as("demo"), &identityv1.CheckAccessRequest{ProjectId: w.project("admin")})
	assert.True(t, errs.IsKind(err, errs.Forbidden))
	_, err = access.CheckAccess(w.as("demo"), &identityv1.CheckAccessRequest{ProjectId: w.project("demo")})
	require.NoError(t, err)
}

func TestAnotherProjectsResourceIsAnsweredLikeOneThatDoesNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("admin", order("foreign"))
	foreign := attempts(w, w.project("demo"), created.GetInstance().GetId(), created.GetTask().GetId())
	unknown := attempts(w, w.project("demo"), unknownID, unknownID)
	for name := range foreign {
		there, nowhere := errs.From(foreign[name](w.as("demo"))), errs.From(unknown[name](w.as("demo")))
		require.NotNil(t, there, name)
		assert.Equal(t, errs.NotFound, there.Kind, name)
		assert.Equal(t, nowhere.Kind, there.Kind, name)
		assert.Equal(t, nowhere.Reason, there.Reason, name)
		assert.Contains(t, there.Sentence, "cannot be found.", name)
	}
	tasks, err := w.tasks().ListTasks(w.as("demo"), &taskv1.ListTasksRequest{
		ProjectId: w.project("demo"), InstanceId: created.GetInstance().GetId(),
	})
	require.NoError(t, err)
	assert.Empty(t, tasks.GetTasks())
}

func TestAnIDThatIsNoneIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	for _, id := range []string{"", "my-name", "0b3e1c1e", "{0b3e1c1e-0000-4000-8000-0000000000ff}", "urn:uuid:" + unknownID} {
		for name, attempt := range attempts(w, w.project("demo"), id, id) {
			err := attempt(w.as("demo"))
			require.ErrorContains(t, err, "Resource "+id+" cannot be found.", name)
			assert.True(t, errs.IsKind(err, errs.NotFound), name)
		}
	}
}

func TestAReaderOnlyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("shared"))
	calls := attempts(w, w.project("reader"), created.GetInstance().GetId(), created.GetTask().GetId())
	require.NoError(t, calls["show"](w.as("reader")))
	require.NoError(t, calls["show task"](w.as("reader")))
	require.ErrorContains(t, calls["restart"](w.as("reader")), "Policy doesn't allow instance:restart to be performed.")
	require.ErrorContains(t, calls["delete"](w.as("reader")), "Policy doesn't allow instance:delete to be performed.")
	require.ErrorContains(t, calls["cancel task"](w.as("reader")), "Policy doesn't allow task:cancel to be performed.")
	_, err := w.instances().CreateInstance(w.as("reader"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("reader"), Instance: order("no")})
	require.ErrorContains(t, err, "Policy doesn't allow instance:create to be performed.")
	assert.True(t, errs.IsKind(err, errs.Forbidden))

	missing := attempts(w, w.project("reader"), unknownID, unknownID)
	assert.True(t, errs.IsKind(missing["restart"](w.as("reader")), errs.NotFound), "not found comes before forbidden")
}

func TestARequestKeepsItsIDOrGetsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	const id = "req-0b3e1c1e-0000-4000-8000-0000000000ff"
	made, err := w.instances().CreateInstance(w.as("demo", "x-request-id", id),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("named")})
	require.NoError(t, err)
	assert.Equal(t, id, made.GetTask().GetRequestId())
	made, err = w.instances().CreateInstance(w.as("demo", "x-request-id", "<script>"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("other")})
	require.NoError(t, err)
	assert.Regexp(t, "^req-[0-9a-f-]{36}$", made.GetTask().GetRequestId())
}

func TestTheTraceOfARequestGoesOnInItsCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	made, err := w.instances().CreateInstance(w.as("demo", "traceparent", parent),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("traced")})
	require.NoError(t, err)
	assert.Equal(t, parent, w.claim(made.GetTask().GetId()).GetCommand().GetTraceparent())
}

func TestDatastoresAsUsersFindThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	datastores, project := datastorev1.NewDatastoreServiceClient(w.public), w.project("demo")
	list, err := datastores.ListDatastores(w.as("demo"), &datastorev1.ListDatastoresRequest{ProjectId: project})
	require.NoError(t, err)
	require.Len(t, list.GetDatastores(), 2)
	mariadb := list.GetDatastores()[0]
	assert.Equal(t, "mariadb", mariadb.GetName())
	assert.Equal(t, []string{"10.6", "10.11"}, []string{mariadb.GetVersions()[0].GetName(), mariadb.GetVersions()[1].GetName()})
	assert.Equal(t, mariadb.GetVersions()[1].GetId(), mariadb.GetDefaultVersion())
	assert.Nil(t, mariadb.GetVersions()[0].Datastore)

	version := func(datastore, version string) (*datastorev1.DatastoreVersion, error) {
		shown, err := datastores.GetDatastoreVersion(w.as("demo"),
			&datastorev1.GetDatastoreVersionRequest{ProjectId: project, Datastore: datastore, Version: version})
		return shown.GetVersion(), err
	}
	byName, err := version("mariadb", "10.11")
	require.NoError(t, err)
	assert.Equal(t, "10.11.19", byName.GetVersion())
	assert.Equal(t, mariadb.GetId(), byName.GetDatastore())
	assert.Nil(t, byName.Active, "for admins alone")
	byID, err := version("", byName.GetId())
	require.NoError(t, err)
	assert.Equal(t, byName.GetName(), byID.GetName())
	for _, wrong := range []struct {
		datastore, version string
		kind               errs.Kind
	}{
		{"mariadb", "5.5", errs.Invalid},
		{"mariadb", unknownID, errs.NotFound},
		{"", unknownID, errs.Invalid},
		{"oracle", "5.5", errs.NotFound},
	} {
		_, err = version(wrong.datastore, wrong.version)
		assert.True(t, errs.IsKind(err, wrong.kind), "%v: %v", wrong, err)
	}

	// The provider comes back without PostgreSQL and with a package update.
	updated := provider()
	updated.DatastoreVersions = updated.GetDatastoreVersions()[:2]
	updated.DatastoreVersions[1].Version = "10.11.20"
	_, err = w.catalogs().RegisterProvider(t.Context(), updated)
	require.NoError(t, err)
	again, err := version("mariadb", "10.11")
	require.NoError(t, err)
	assert.Equal(t, byName.GetId(), again.GetId(), "ids stay")
	assert.Equal(t, "10.11.20", again.GetVersion())
	_, err = datastores.GetDatastore(w.as("demo"), &datastorev1.GetDatastoreRequest{ProjectId: project, Datastore: "postgresql"})
	assert.True(t, errs.IsKind(err, errs.NotFound), "without an active version it is hidden")
	hidden, err := datastores.GetDatastore(w.as("admin"),
		&datastorev1.GetDatastoreRequest{ProjectId: w.project("admin"), Datastore: "postgresql"})
	require.NoError(t, err)
	assert.False(t, hidden.GetDatastore().GetVersions()[0].GetActive())
	body, engine := order("late"), "postgresql"
	body.Datastore = &instancev1.NewDatastore{Type: &engine}
	_, err = w.instances().CreateInstance(w.as("demo"), &instancev1.CreateInstanceRequest{ProjectId: project, Instance: body})
	assert.True(t, errs.IsKind(err, errs.Invalid))
}
