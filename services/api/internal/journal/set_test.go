package journal_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/journal"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/storetest"
)

func newServer(t *testing.T) (*journal.Server, store.Store) {
	t.Helper()
	cfg := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")}
	require.NoError(t, gormstore.Migrate(t.Context(), cfg))
	s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return journal.New(journal.Parts{
		Store: s, Catalog: catalog.NewCache(s), Logger: slog.New(slog.DiscardHandler), Lease: time.Minute, MaxClaims: 5,
	}), s
}

func TestAClaimOfASetTellsOfAllItsMembersAndOfWhatWasNoted(t *testing.T) {
	server, s := newServer(t)
	source := storetest.NewInstance(t, s)
	elected, other := storetest.NewReplica(t, s, source), storetest.NewReplica(t, s, source)
	request := &journalv1.ClaimTaskRequest{TaskId: storetest.Promote(t, s, elected.ID), Worker: "worker"}

	claim, err := server.ClaimTask(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, source.ID, claim.GetInstance().GetReplicaOf())
	assert.Empty(t, claim.GetInstance().GetReplicas())
	members := byID(claim.GetMembers())
	require.Len(t, members, 2)
	assert.ElementsMatch(t, []string{elected.ID, other.ID}, members[source.ID].GetReplicas())
	assert.Equal(t, source.ID, members[other.ID].GetReplicaOf())
	assert.Empty(t, claim.GetNotes())

	_, err = server.RecordSteps(t.Context(), &journalv1.RecordStepsRequest{
		Run: claim.GetRun(), Instance: &journalv1.InstancePatch{ReplicaOf: proto.String("")},
		Members: map[string]*journalv1.InstancePatch{
			source.ID: {ReplicaOf: &elected.ID},
			other.ID:  {ReplicaOf: &elected.ID, Problem: proto.String("it diverged")},
		},
		Notes: map[string]string{"position": "0-1-7"},
	})
	require.NoError(t, err)
	claim, err = server.ClaimTask(t.Context(), request)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{source.ID, other.ID}, claim.GetInstance().GetReplicas())
	assert.Equal(t, map[string]string{"position": "0-1-7"}, claim.GetNotes())
	assert.Equal(t, "it diverged", byID(claim.GetMembers())[other.ID].GetProblem())

	_, err = server.FinishTask(t.Context(), &journalv1.FinishTaskRequest{
		Run: claim.GetRun(), Outcome: journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, TaskStatus: string(status.TaskNone),
		Members: map[string]*journalv1.MemberEnd{other.ID: {
			TaskStatus: string(status.TaskPromotionError), Fault: &journalv1.Fault{Message: "it diverged"},
		}},
	})
	require.NoError(t, err)
	left, err := s.Instance(t.Context(), "", other.ID)
	require.NoError(t, err)
	assert.Equal(t, status.TaskPromotionError, left.TaskStatus)
	assert.Equal(t, "it diverged", left.Fault.Message)
}

func TestAReplicasCreationIsToldWhatWasOrdered(t *testing.T) {
	server, s := newServer(t)
	order := &commandv1.CreateReplica{
		DatastoreVersion: &commandv1.DatastoreVersion{Id: "v", Manager: "mariadb", Version: "10.11.14"},
		Flavor:           &commandv1.Flavor{Id: "1", Ram: 512, Vcpus: 1},
	}
	claim, err := server.ClaimTask(t.Context(), &journalv1.ClaimTaskRequest{
		TaskId: storetest.OrderReplica(t, s, storetest.NewInstance(t, s), order), Worker: "worker",
	})
	require.NoError(t, err)
	assert.True(t, proto.Equal(order.GetDatastoreVersion(), claim.GetInstance().GetDatastoreVersion()))
	assert.True(t, proto.Equal(order.GetFlavor(), claim.GetInstance().GetFlavor()))
}

func byID(list []*journalv1.Instance) map[string]*journalv1.Instance {
	found := make(map[string]*journalv1.Instance, len(list))
	for _, one := range list {
		found[one.GetId()] = one
	}
	return found
}
