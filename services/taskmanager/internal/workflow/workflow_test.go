package workflow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step/steptest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryActionHasAWorkflow(t *testing.T) {
	have := map[action.Name]bool{}
	for _, w := range workflow.All(workflow.Parts{}) {
		assert.False(t, have[w.Action()], "%s has two", w.Action())
		have[w.Action()] = true
	}
	for _, name := range action.Names() {
		assert.True(t, have[name], "%s has none", name)
	}
}

const instanceID = "5dbb5d3c-0f0e-4a4e-9d3b-6d6a9d4a8e11"

// bench is a cloud, guests that are reached over real mTLS, and an engine with all workflows.
type bench struct {
	cloud *steptest.Cloud
	parts workflow.Parts
}

func setup(t *testing.T) *bench {
	t.Helper()
	ca := steptest.NewCA(t)
	cloud := steptest.New(t)
	dialer := guest.NewDialer(ca.Identity(t, pki.TaskmanagerName("tm")))
	t.Cleanup(dialer.Close)
	return &bench{cloud: cloud, parts: workflow.Parts{Servers: cloud, Volumes: cloud, Ports: cloud, Guests: dialer, Signing: ca, BootLimit: time.Minute, CatchUpLimit: time.Minute}}
}

func (b *bench) run(t *testing.T, journal *flowtest.Journal) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return journal.Run(ctx, flow.NewEngine(journal, workflow.All(b.parts)))
}

// status is what the instance's guest says now.
func (b *bench) status(t *testing.T) (*guestagentv1.DatabaseStatus, error) {
	t.Helper()
	server, err := b.cloud.Server(t.Context(), instanceID)
	require.NoError(t, err)
	guest, err := b.parts.Guests.Guest(instanceID, server.GuestAddress)
	require.NoError(t, err)
	return guest.Status(t.Context())
}

// toTheEnd runs until the end is recorded.
func (b *bench) toTheEnd(t *testing.T, journal *flowtest.Journal) *journalv1.FinishTaskRequest {
	t.Helper()
	for journal.End() == nil {
		if err := b.run(t, journal); err != nil {
			require.ErrorIs(t, err, flow.ErrSuperseded)
		}
	}
	return journal.End()
}

func createTask() *flowtest.Journal { return createTaskFor(instanceID) }

func createTaskFor(instanceID string) *flowtest.Journal {
	journal := flowtest.New(&commandv1.Command{
		TaskId: "create", InstanceId: instanceID,
		Action: &commandv1.Command_CreateInstance{CreateInstance: &commandv1.CreateInstance{
			DatastoreVersion: &commandv1.DatastoreVersion{Manager: "mariadb", Name: "10.11", Version: "10.11.14"},
			Flavor:           &commandv1.Flavor{Id: "1", Name: "db.tiny", Ram: 512}, VolumeSize: 1,
			Databases: []*commandv1.Database{{Name: "shop", CharacterSet: "utf8mb4"}},
			Users:     []*commandv1.User{{Name: "ann", Host: "%", Databases: []string{"shop"}}},
		}},
	}, &journalv1.Instance{Id: instanceID, Name: "shop"})
	journal.Secret("ann@%", "hunter2")
	return journal
}

func taskOn(instance *journalv1.Instance, command *commandv1.Command) *flowtest.Journal {
	command.InstanceId = instance.GetId()
	return flowtest.New(command, instance)
}

func restartTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(instance, &commandv1.Command{TaskId: "restart", Action: &commandv1.Command_RestartInstance{}})
}

func deleteTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(instance, &commandv1.Command{TaskId: "delete", Action: &commandv1.Command_DeleteInstance{}})
}

// created is an instance that was made.
func (b *bench) created(t *testing.T) *journalv1.Instance {
	t.Helper()
	journal := createTask()
	require.NoError(t, b.run(t, journal))
	require.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome(), journal.End())
	return journal.Instance()
}

// everyDeath lets a task's run die before and after each of its writes, once each, and hands what then became of it to
// check.
func everyDeath(t *testing.T, task func(b *bench, t *testing.T) *flowtest.Journal, check func(t *testing.T, b *bench, j *flowtest.Journal)) {
	t.Helper()
	calm := setup(t)
	journal := task(calm, t)
	calm.toTheEnd(t, journal)
	writes := len(journal.Writes())
	require.NotZero(t, writes)
	for n := 1; n <= writes; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write=%d/after=%t", n, after), func(t *testing.T) {
				b := setup(t)
				journal := task(b, t)
				journal.DieAt(n, after)
				b.toTheEnd(t, journal)
				check(t, b, journal)
			})
		}
	}
}

var (
	errBroken = errs.New(errs.WrongState, "BROKEN", "It is broken.")
	errAway   = errs.New(errs.Unavailable, "AWAY", "It is away for a moment.")
)

var succeeded = journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED

var nothing = []string{}

var everything = []string{"address of " + instanceID, "server of " + instanceID, "volume of " + instanceID}

func assertLeft(t *testing.T, end *journalv1.FinishTaskRequest, left status.Task, faultHas ...string) {
	t.Helper()
	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_FAILED, end.GetOutcome())
	assert.Equal(t, string(left), end.GetTaskStatus())
	for _, part := range faultHas {
		assert.Contains(t, end.GetFault().GetMessage(), part)
	}
	assert.LessOrEqual(t, len([]rune(end.GetFault().GetMessage())), 255)
}
