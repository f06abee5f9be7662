package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARestartThatFailsLeavesTheInstanceActiveWithAFaultAndALaterOneMendsIt(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	s := startServe(t, newDataDir(t), e.used())
	user := s.signIn("coffer")
	made := user.createReady("limping")
	host := s.machine(made)
	host.remember("kept")
	configuration := filepath.Join(host.folder, "conf", "mariadbd.cnf")
	sound, err := os.ReadFile(configuration)
	require.NoError(t, err)

	for cause, fault := range map[string]struct{ strike, mend func() }{
		"The moon is in the way": {e.fail, e.mend},
		"no such file":           {e.vanish, func() { require.NoError(t, os.Symlink("/usr/sbin/mariadbd", e.program())) }},
		"unknown variable 'moon=full'": {
			func() { require.NoError(t, os.WriteFile(configuration, append(sound, "moon=full\n"...), 0o600)) },
			func() { require.NoError(t, os.WriteFile(configuration, sound, 0o600)) },
		},
	} {
		t.Run(cause, func(t *testing.T) {
			fault.strike()
			ended := user.awaitEnd(user.restart(made.ID))
			require.Equal(t, "FAILED", ended.Status, "%+v", ended)
			require.NotNil(t, ended.Error)
			t.Logf("%+v", *ended.Error)
			assert.Equal(t, "restart_database", ended.Error.Step)
			assert.Contains(t, ended.Error.Message, cause)
			shown := user.show(made.ID)
			assert.Equal(t, "ACTIVE", shown.Status)
			assert.NotEqual(t, "HEALTHY", shown.OperatingStatus)
			require.NotNil(t, shown.Fault)
			assert.Contains(t, shown.Fault.Message, "restart_database")

			fault.mend()
			user.awaitSuccess(user.restart(made.ID))
			shown = user.show(made.ID)
			assert.Equal(t, "HEALTHY", shown.OperatingStatus)
			assert.Nil(t, shown.Fault, "a restart that succeeded leaves no fault")
			assert.Equal(t, []string{"kept"}, host.remembered())
		})
	}
}
