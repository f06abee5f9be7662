package guest_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

func operation(n int) *guestagentv1.Operation {
	return &guestagentv1.Operation{Id: fmt.Sprintf("task-%d/step", n), Epoch: 1}
}

func (m *vm) prepare(g step.Guest) {
	m.t.Helper()
	require.NoError(m.t, g.Prepare(m.ctx(), &guestagentv1.PrepareRequest{
		Operation: operation(0), Manager: m.manager, Ram: 512, Databases: []*guestagentv1.Database{{Name: "app"}},
		Users: []*guestagentv1.User{{Name: user, Password: password, Databases: []string{"app"}}},
	}, silent))
	m.execute("CREATE TABLE ledger (what VARCHAR(20))")
}

func (m *vm) awaitStatus(g step.Guest, wanted func(*guestagentv1.DatabaseStatus) bool) *guestagentv1.DatabaseStatus {
	m.t.Helper()
	ctx := m.ctx()
	for {
		// The stream breaks when the agent ends.
		s, err := g.AwaitStatus(ctx, wanted)
		if err == nil {
			return s
		}
		require.NoError(m.t, ctx.Err(), "%v", err)
	}
}

func isHealthy(s *guestagentv1.DatabaseStatus) bool {
	return s.GetServiceStatus() == string(status.ServiceHealthy)
}

func TestAMachineServesAndComesBackByItselfAndIsRebuilt(t *testing.T) {
	base := image(t)
	for _, manager := range []string{"mariadb", "postgresql"} {
		t.Run(manager, func(t *testing.T) {
			m := newVM(t, base, manager)
			began := time.Now()
			m.boot()
			g := m.enrol()
			t.Logf("the agent was enrolled %.1f s after power-on", time.Since(began).Seconds())
			began = time.Now()
			m.prepare(g)
			t.Logf("the database served %.1f s later", time.Since(began).Seconds())
			m.execute("INSERT INTO ledger VALUES ('one')")
			refuses(t, m.agentOfTenant)
			refuses(t, m.databaseOfManagement)

			// Its power is cut, and nobody is there to help.
			m.crash()
			m.boot()
			assert.Equal(t, "one", m.execute("SELECT what FROM ledger"))
			m.execute("INSERT INTO ledger VALUES ('two')")

			// It is shut down and started, as by a soft reboot.
			m.shutDown()
			m.boot()
			assert.Equal(t, "one\ntwo", m.execute("SELECT what FROM ledger ORDER BY what"))
			assert.EqualValues(t, 3, m.awaitStatus(g, isHealthy).GetStarts())

			// It is made anew around its volume, with a config drive of the other kind.
			m.crash()
			m.vfat = true
			m.build()
			m.boot()
			g = m.enrol()
			assert.Equal(t, "one\ntwo", m.execute("SELECT what FROM ledger ORDER BY what"))
			assert.EqualValues(t, 4, m.awaitStatus(g, isHealthy).GetStarts())
			require.NoError(t, g.RestartDatabase(m.ctx(), operation(1), silent))
			m.execute("INSERT INTO ledger VALUES ('three')")
		})
	}
}

func TestTheDatabaseOfAMachineIsAUnitThatOutlivesItsAgent(t *testing.T) {
	base := image(t)
	suite := filepath.Join(t.TempDir(), "unit.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", suite,
		"github.com/coffer-dbaas/coffer/services/guestagent/internal/unit").CombinedOutput()
	require.NoError(t, err, string(out))
	m := newVM(t, withShell(t, base, suite), "mariadb")
	m.boot()
	g := m.enrol()
	m.prepare(g)
	first := m.awaitStatus(g, isHealthy)

	pid := m.shell("systemctl show -P MainPID coffer-database.service")
	assert.Equal(t, strconv.FormatInt(first.GetPid(), 10), pid)
	m.shell("kill -9 $(systemctl show -P MainPID coffer-guestagent.service)")
	again := m.awaitStatus(g, func(s *guestagentv1.DatabaseStatus) bool {
		return s.GetAgentLife() != first.GetAgentLife() && isHealthy(s)
	})
	assert.Equal(t, first.GetPid(), again.GetPid())
	assert.EqualValues(t, 1, again.GetStarts())

	m.shell("kill -9 " + pid)
	back := m.awaitStatus(g, func(s *guestagentv1.DatabaseStatus) bool { return s.GetPid() != again.GetPid() && isHealthy(s) })
	assert.EqualValues(t, 2, back.GetStarts())
	require.NoError(t, g.RestartDatabase(m.ctx(), operation(1), silent))

	assert.Equal(t, []string{tenantAddress + ":3306", managementAddress + ":8781"},
		strings.Fields(m.shell("ss -Hlntu | awk '{print $5}' | sort")), "nothing else listens")
	t.Log(m.shell("systemd-analyze | cat; systemd-analyze blame | head; grep -E 'MemTotal|MemAvailable' /proc/meminfo"))
	assert.Contains(t, m.shell("unit.test -test.v 2>&1"), "--- PASS: TestAUnitIsALauncher")
	assert.Empty(t, m.shell("systemctl --failed --no-legend --plain | grep -v coffer-test || true"))
}
