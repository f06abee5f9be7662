package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

func TestAccessIsUpdatedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
		return accessTask(b.created(t), &commandv1.Access{IsPublic: true, AllowedCidrs: []string{"192.0.2.0/24"}})
	}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
		assert.Equal(t, step.Access{Manager: "mariadb", Public: true, CIDRs: []string{"192.0.2.0/24"}}, b.cloud.Access(instanceID))
		assert.Equal(t, []string{"private 127.0.0.1", "public 192.0.2.1"}, addressesOf(journal.Instance()))
	})
}

func addressesOf(instance *journalv1.Instance) []string {
	list := []string{}
	for _, address := range instance.GetAddresses() {
		list = append(list, address.GetType()+" "+address.GetAddress())
	}
	return list
}

func TestAPublicAddressThatIsTakenAwayIsShownNoMore(t *testing.T) {
	b := setup(t)
	public := accessTask(b.created(t), &commandv1.Access{IsPublic: true})
	require.NoError(t, b.run(t, public))
	private := accessTask(public.Instance(), &commandv1.Access{})

	require.NoError(t, b.run(t, private))

	assert.Equal(t, []string{"private 127.0.0.1"}, addressesOf(private.Instance()))
}

func TestAccessThatCouldNotBeUpdatedIsAnErrorOfItsOwn(t *testing.T) {
	b := setup(t)
	journal := accessTask(b.created(t), &commandv1.Access{IsPublic: true})
	b.cloud.FailNext("UpdateAccess", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskUpdatingErrorAccess, "update_access", "It is broken")
	assert.Equal(t, []string{"private 127.0.0.1"}, addressesOf(journal.Instance()))
}
