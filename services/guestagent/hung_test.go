package guestagent_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestADatabaseThatHangsIsShownAsCrashedUntilItAnswersAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for name, hang := range map[string]func(*machine){
			"in its work": func(m *machine) { require.NoError(m.t, m.database().Signal(syscall.SIGSTOP)) },
			"before its agent starts": func(m *machine) {
				m.endAgent(syscall.SIGKILL)
				require.NoError(m.t, m.database().Signal(syscall.SIGSTOP))
				m.startAgent()
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				m := preparedOf(t, k)
				pid := m.database().PID()
				hang(m)
				m.await(func(s *guestagentv1.DatabaseStatus) bool {
					return s.GetServiceStatus() == "CRASHED" && assert.Contains(t, s.GetMessage(), "does not answer")
				})
				assert.Equal(t, pid, m.database().PID())
				require.NoError(t, m.database().Signal(syscall.SIGCONT))
				m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" })
				assert.EqualValues(t, pid, m.status().GetPid())
				assert.EqualValues(t, 1, m.status().GetStarts())
			})
		}
	})
}
