package action_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
)

func TestEveryActionOfTheCommandHasARow(t *testing.T) {
	names := action.Names()
	require.NotEmpty(t, names)
	for _, name := range names {
		a, ok := action.Lookup(name)
		require.True(t, ok, "action %s has no row", name)
		assert.Equal(t, name, a.Name)
		assert.NotEmpty(t, a.PolicyRule)
		assert.NotEmpty(t, a.TaskStatus)
		assert.Contains(t, action.Lanes, a.Lane)
		assert.Positive(t, a.Timeout)
		assert.NotEmpty(t, a.Title)
	}
}

func TestOf(t *testing.T) {
	assert.Equal(t, action.RestartInstance, action.Of(&commandv1.Command{Action: &commandv1.Command_RestartInstance{}}))
	assert.Empty(t, action.Of(&commandv1.Command{}))
}
