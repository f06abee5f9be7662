package guest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// hosts are servers of the local kind with real agents and databases.
type hosts struct {
	*bench

	t      *testing.T
	folder string
	// program and templates are for all tests.
	program, templates string
}

func newHosts(t *testing.T, b *bench) *hosts {
	t.Helper()
	// The databases' users must reach their folders, so not t.TempDir.
	folder, err := os.MkdirTemp("", "guest-") //nolint:usetesting // closed to others
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o711))
	h := &hosts{
		bench: b, t: t, folder: folder, program: filepath.Join(folder, "coffer-guestagent"), templates: filepath.Join(folder, "templates"),
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", h.program,
		"github.com/coffer-dbaas/coffer/services/guestagent/cmd/coffer-guestagent").CombinedOutput()
	require.NoError(t, err, string(out))
	return h
}

// of is the hosts of one test.
func (h *hosts) of(t *testing.T) *hosts {
	t.Helper()
	own := *h
	own.t, own.bench, own.folder = t, setup(t), filepath.Join(h.folder, strings.ReplaceAll(filepath.Base(t.Name()), "_", "-"))
	require.NoError(t, os.Mkdir(own.folder, 0o755))
	return &own
}

// fresh is a server whose agent is enrolled, without a database.
func (h *hosts) fresh(id string) *member {
	h.t.Helper()
	dir := filepath.Join(h.folder, id)
	address := fmt.Sprintf("127.%d.%d.%d", 2+rand.IntN(250), rand.IntN(256), 1+rand.IntN(254))
	h.write(dir, address, id)
	agent, err := proc.Start(proc.Command{
		Path: h.program, Args: []string{"serve", "--dir", dir}, Dir: dir, Log: filepath.Join(dir, "agent.log"),
	})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { h.remove(agent, dir) })
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	require.NoError(h.t, h.dialer.Enroll(ctx, id, address+":8781", h.sign(id)))
	g, err := h.dialer.Guest(id, address+":8781")
	require.NoError(h.t, err)
	client := client{t: h.t, address: address}
	return &member{Guest: g, id: id, ready: client.ready, commit: client.commit, rows: client.rows}
}

// write makes the server's folder, as the local provider does.
func (h *hosts) write(dir, address, id string) {
	h.t.Helper()
	bootstrap, err := h.ca.IssueBootstrap(h.t.Context(), &journalv1.IssueBootstrapRequest{InstanceId: id})
	require.NoError(h.t, err)
	server := map[string]any{
		"instance_id": id, "address": address, "agent_listen": address + ":8781", "data_dir": filepath.Join(dir, "data"),
		"volume_limit_bytes": 1 << 30, "templates_dir": h.templates, "memory_bytes": 256 << 20,
	}
	if os.Geteuid() == 0 {
		server["run_as_uid"], server["run_as_gid"] = 63000+rand.IntN(1000), 63000
	}
	description, err := json.Marshal(server)
	require.NoError(h.t, err)
	for _, folder := range []string{"data", "bootstrap", "log"} {
		require.NoError(h.t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	for name, text := range map[string][]byte{
		"server.json": description, "bootstrap/ca.pem": bootstrap.GetCaPem(),
		"bootstrap/cert.pem": bootstrap.GetCertificatePem(), "bootstrap/key.pem": bootstrap.GetKeyPem(),
	} {
		require.NoError(h.t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
}

// remove kills the agent, and then the database, which nobody starts again.
func (h *hosts) remove(agent *proc.Process, dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(h.t, proc.Kill(ctx, agent))
	databases, err := proc.FindByArgument("--defaults-file=" + filepath.Join(dir, "conf", "mariadbd.cnf"))
	require.NoError(h.t, err)
	require.NoError(h.t, proc.Kill(ctx, databases...))
	if h.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(dir, "agent.log"))
		h.t.Logf("agent of %s:\n%s", filepath.Base(dir), log)
	}
}

// client is the tenant's, of one database.
type client struct {
	t       *testing.T
	address string
}

func (c client) ready() {
	c.t.Helper()
	_, err := c.execute("CREATE TABLE ledger (n INT AUTO_INCREMENT PRIMARY KEY, what TEXT)")
	require.NoError(c.t, err)
}

func (c client) commit(row string) error {
	_, err := c.execute(fmt.Sprintf("INSERT INTO ledger (what) VALUES ('%s')", row))
	return err
}

func (c client) rows() []string {
	out, err := c.execute("SELECT what FROM ledger ORDER BY n")
	require.NoError(c.t, err)
	return strings.Split(strings.TrimSpace(out), "\n")
}

func (c client) execute(statement string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "mariadb", "--no-defaults", "--protocol=tcp", "-N", "-h"+c.address,
		"-u"+user, "app", "-e", statement)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
	out, err := cmd.Output()
	return string(out), err
}
