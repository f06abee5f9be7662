package guestagent_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter/entertest"
)

// The calls of an upgrade, one operation each.

func upgradeOperation(name string) *guestagentv1.Operation {
	return &guestagentv1.Operation{Id: "upgrade/" + name, Epoch: 5}
}

func (m *machine) prepareUpgrade(to string) error {
	return outcome(m.client().PrepareUpgrade(m.ctx(), &guestagentv1.PrepareUpgradeRequest{
		Operation: upgradeOperation("prepare"), Version: to,
	}, grpc.WaitForReady(true)))
}

func (m *machine) upgradeDatabase(to string) error {
	return outcome(m.client().UpgradeDatabase(m.ctx(), &guestagentv1.UpgradeDatabaseRequest{
		Operation: upgradeOperation("upgrade"), Version: to,
	}, grpc.WaitForReady(true)))
}

func (m *machine) revertUpgrade() error {
	return outcome(m.client().RevertUpgrade(m.ctx(), &guestagentv1.RevertUpgradeRequest{
		Operation: upgradeOperation("revert"),
	}, grpc.WaitForReady(true)))
}

func (m *machine) finishUpgrade() error {
	return outcome(m.client().FinishUpgrade(m.ctx(), &guestagentv1.FinishUpgradeRequest{
		Operation: upgradeOperation("finish"),
	}, grpc.WaitForReady(true)))
}

// rebuild does what the provider does: the server goes down in order, and comes up with another engine.
func (m *machine) rebuild(root, version string) {
	m.t.Helper()
	// One that has only just begun loses a signal that it has not asked for yet.
	_, err := m.client().GetInfo(m.ctx(), &guestagentv1.GetInfoRequest{}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	m.endAgent(syscall.SIGPWR)
	m.server.EngineRoot, m.server.Version = root, version
	m.writeSettings()
	m.startAgent()
}

// fillTable makes a table with some rows; words are what is in it.
func (m *machine) fillTable() {
	m.t.Helper()
	db := m.connect("ann", password, "app")
	for _, statement := range []string{
		"CREATE TABLE kept (id INT PRIMARY KEY, word VARCHAR(20))", "INSERT INTO kept VALUES (1, 'one'), (2, 'zwei'), (3, 'τρία')",
	} {
		_, err := db.ExecContext(m.ctx(), statement)
		require.NoError(m.t, err)
	}
}

func (m *machine) words() []string {
	m.t.Helper()
	rows, err := m.connect("ann", password, "app").QueryContext(m.ctx(), "SELECT word FROM kept ORDER BY id")
	require.NoError(m.t, err)
	defer rows.Close()
	var words []string
	for rows.Next() {
		var word string
		require.NoError(m.t, rows.Scan(&word))
		words = append(words, word)
	}
	require.NoError(m.t, rows.Err())
	return words
}

var allRows = []string{"one", "zwei", "τρία"}

func (m *machine) insert(id int) error {
	_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), fmt.Sprintf("INSERT INTO kept VALUES (%d, 'new')", id))
	return err
}

// inRoot is the version of a kind in the root folder.
func (k kind) inRoot(t *testing.T, folder string) string {
	t.Helper()
	return preparedOf(t, k, rootedAt(folder)).status().GetVersion()
}

func (m *machine) assertNothingKept() {
	m.t.Helper()
	assert.NoDirExists(m.t, filepath.Join(m.server.DataDir, ".upgrade"))
	assert.NoFileExists(m.t, filepath.Join(m.server.AgentDir(), "upgrade.json"))
}

// TestADatabaseIsUpgradedToAnotherVersion kills the agent between any two calls, and in the middle of the conversion.
func TestADatabaseIsUpgradedToAnotherVersion(t *testing.T) {
	folder := entertest.Folder(t)
	forEachKind(t, func(t *testing.T, k kind) {
		to := k.inRoot(t, folder)
		m := preparedOf(t, k)
		from := m.status().GetVersion()
		require.NotEqual(t, from, to)
		m.fillTable()

		require.NoError(t, m.prepareUpgrade(to))
		assert.Empty(t, m.databases(), "nobody writes any more")
		require.Error(t, m.restart("task-1/restart", 5), "the data are being upgraded")
		m.rebuild(folder, to)
		assert.Empty(t, m.databases())
		m.endAgent(syscall.SIGKILL)
		m.startAgent()
		require.NoError(t, m.upgradeDatabase(to))
		m.endAgent(syscall.SIGKILL)
		m.startAgent()
		m.await(isHealthy)

		assert.Equal(t, to, m.status().GetVersion())
		assert.Equal(t, allRows, m.words())
		require.Error(t, m.insert(4), "what is written now would be lost on the way back")
		require.NoError(t, m.finishUpgrade())
		require.NoError(t, m.insert(4))
		m.assertNothingKept()
		require.NoError(t, m.restart("task-2/restart", 6))
		assert.Equal(t, append(slices.Clone(allRows), "new"), m.words())
		assert.Equal(t, to, m.status().GetVersion())
	})
}

func TestAnUpgradeIsRevertedFromEveryPoint(t *testing.T) {
	folder := entertest.Folder(t)
	forEachKind(t, func(t *testing.T, k kind) {
		to := k.inRoot(t, folder)
		for name, reach := range map[string]func(m *machine){
			"before it began": func(*machine) {},
			"prepared":        func(m *machine) { require.NoError(m.t, m.prepareUpgrade(to)) },
			"rebuilt": func(m *machine) {
				require.NoError(m.t, m.prepareUpgrade(to))
				m.rebuild(folder, to)
			},
			"upgraded": func(m *machine) {
				require.NoError(m.t, m.prepareUpgrade(to))
				m.rebuild(folder, to)
				require.NoError(m.t, m.upgradeDatabase(to))
			},
		} {
			t.Run(name, func(t *testing.T) {
				m := preparedOf(t, k)
				from := m.status().GetVersion()
				m.fillTable()
				reach(m)
				m.rebuild("", from)

				require.NoError(t, m.revertUpgrade())

				m.await(isHealthy)
				assert.Equal(t, from, m.status().GetVersion())
				assert.Equal(t, allRows, m.words())
				require.NoError(t, m.insert(4))
				m.assertNothingKept()
			})
		}
	})
}

// TestAnUpgradeWithinAVersionGoesTheWholeWay needs no second version: it is what a new build of the same one is.
func TestAnUpgradeWithinAVersionGoesTheWholeWay(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		version := m.status().GetVersion()
		m.fillTable()

		require.NoError(t, m.prepareUpgrade(version))
		m.rebuild("", version)
		require.NoError(t, m.upgradeDatabase(version))
		require.Error(t, m.insert(4))
		require.NoError(t, m.finishUpgrade())

		require.NoError(t, m.insert(4))
		assert.Equal(t, append(slices.Clone(allRows), "new"), m.words())
		m.assertNothingKept()
	})
}

func TestAnUpgradeToAVersionThatIsNotThereIsRefusedAndCanGoBack(t *testing.T) {
	m := prepared(t)
	version := m.status().GetVersion()
	m.fillTable()
	require.NoError(t, m.prepareUpgrade("99.1.1"))

	require.ErrorContains(t, m.upgradeDatabase("99.1.1"), "The server has mariadb "+version)

	require.NoError(t, m.revertUpgrade())
	assert.Equal(t, allRows, m.words())
	m.assertNothingKept()
}

func TestWithoutAnUpgradeThereIsNothingToConvertOrToFinish(t *testing.T) {
	m := prepared(t)

	require.ErrorContains(t, m.upgradeDatabase(m.status().GetVersion()), "No upgrade is under way")
	require.NoError(t, m.finishUpgrade())
	require.NoError(t, m.revertUpgrade())
	m.await(isHealthy)
}
