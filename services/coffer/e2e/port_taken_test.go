package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACreateWhosePortIsTakenOnEveryAddressNamesWhoHasIt(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	s := startServe(t, newDataDir(t), counted(t))
	foreign, err := listen("0.0.0.0:3306")
	require.NoError(t, err)
	s.assertCreateFails(newInstance("portless"), "allocate_address", "PORT_TAKEN_ON_EVERY_ADDRESS", "e2e.test (process ")
	require.NoError(t, foreign.Close())
	assert.Equal(t, "ACTIVE", s.signIn("coffer").createReady("ported").Status)
}
