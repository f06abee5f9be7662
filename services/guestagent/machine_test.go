package guestagent_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// What all tests share: the built program, folders, and a CA.
var (
	program   string
	templates string
	servers   string
	authority *pki.CA
)

func TestMain(m *testing.M) {
	code, err := withShared(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// sharedVariable names the folder of a run that already has a built program: this one as another user.
const sharedVariable = "GUESTAGENT_TEST_SHARED"

func withShared(run func() int) (int, error) {
	if folder := os.Getenv(sharedVariable); folder != "" {
		return runIn(folder, filepath.Join(folder, "unprivileged"), run)
	}
	folder, err := os.MkdirTemp("", "guestagent-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o711); err != nil {
		return 0, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "coffer-guestagent"), "./cmd/coffer-guestagent")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the agent: %w: %s", err, out)
	}
	if os.Geteuid() != 0 {
		return runIn(folder, filepath.Join(folder, "own"), run)
	}
	// Both wait most of the time, so they run side by side.
	var said bytes.Buffer
	asNobody := make(chan error, 1)
	go func() { asNobody <- runAsNobody(folder, &said) }()
	code, err := runIn(folder, filepath.Join(folder, "own"), run)
	if failed := <-asNobody; failed != nil {
		fmt.Fprint(os.Stderr, said.String())
		err = errors.Join(err, failed)
	}
	return code, err
}

func runIn(folder, work string, run func() int) (code int, err error) {
	program, templates, servers = filepath.Join(folder, "coffer-guestagent"), filepath.Join(work, "templates"), filepath.Join(work, "servers")
	if err := os.MkdirAll(work, 0o711); err != nil {
		return 0, err
	}
	if authority, err = pki.OpenCA(filepath.Join(work, "ca")); err != nil {
		return 0, err
	}
	return run(), nil
}

// runAsNobody runs the tests also as an unprivileged user, as a newcomer would without root.
func runAsNobody(folder string, output io.Writer) error {
	const nobody = 65534
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	work, binary := filepath.Join(folder, "unprivileged"), filepath.Join(folder, "guestagent.test")
	if err := errors.Join(os.WriteFile(binary, self, 0o755), os.Mkdir(work, 0o711), os.Chown(work, nobody, nobody)); err != nil {
		return err
	}
	cmd := exec.Command(binary, append(argumentsOfAnother(), "-test.skip="+sameForAll)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, output, output
	cmd.Env = append(os.Environ(), sharedVariable+"="+folder, "TMPDIR="+work)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("as an unprivileged user: %w", err)
	}
	return nil
}

// machine is a server of the local kind with an agent in it.
type machine struct {
	t       *testing.T
	kind    kind
	id      string
	server  settings.Server
	agent   *proc.Process
	manager *pki.Identity
}

func newMachine(t *testing.T, changes ...func(*settings.Server)) *machine {
	t.Helper()
	return newMachineOf(t, mariaDB, changes...)
}

func newMachineOf(t *testing.T, k kind, changes ...func(*settings.Server)) *machine {
	t.Helper()
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", rand.Uint32(), rand.Uint64N(1<<48))
	// The database's user must reach its folder, so not t.TempDir.
	dir := filepath.Join(servers, id)
	address := nettest.Host()
	m := &machine{t: t, kind: k, id: id, server: settings.Server{
		InstanceID: id, Address: address, AgentListen: address + ":8781", DataDir: filepath.Join(dir, "data"),
		TemplatesDir: templates, MemoryBytes: 256 << 20, Folder: dir, VolumeLimitBytes: 1 << 30,
	}}
	if os.Geteuid() == 0 {
		m.server.RunAsUID, m.server.RunAsGID = 64000+rand.Uint32N(1000), 64000
	}
	for _, change := range changes {
		change(&m.server)
	}
	m.build()
	m.manager = m.identity(pki.TaskmanagerName("test"))
	t.Cleanup(m.destroy)
	return m
}

// build makes the folders that are missing, and gives the machine a bootstrap identity.
func (m *machine) build() {
	m.t.Helper()
	for _, folder := range []string{m.server.Folder, m.server.DataDir, m.server.BootstrapDir(), m.server.LogDir()} {
		require.NoError(m.t, os.MkdirAll(folder, 0o755))
	}
	m.writeSettings()
	certificate, key := m.issue(pki.BootstrapName(m.id))
	for name, text := range map[string][]byte{"ca.pem": authority.PEM(), "cert.pem": certificate, "key.pem": key} {
		require.NoError(m.t, os.WriteFile(filepath.Join(m.server.BootstrapDir(), name), text, 0o600))
	}
}

func (m *machine) writeSettings() {
	text, err := json.Marshal(m.server)
	require.NoError(m.t, err)
	require.NoError(m.t, os.WriteFile(filepath.Join(m.server.Folder, "server.json"), text, 0o600))
}

func (m *machine) issue(name pki.Name) (certificate, key []byte) {
	certificate, key, err := authority.Issue(name, time.Hour)
	require.NoError(m.t, err)
	return certificate, key
}

func (m *machine) identity(name pki.Name) *pki.Identity {
	certificate, key := m.issue(name)
	identity, err := pki.NewIdentity(certificate, key, authority.PEM())
	require.NoError(m.t, err)
	return identity
}

// startAgent starts the agent as the local provider does.
func (m *machine) startAgent() {
	m.t.Helper()
	agent, err := proc.Start(proc.Command{
		Path: program, Args: []string{"serve", "--dir", m.server.Folder}, Dir: m.server.Folder,
		Log: filepath.Join(m.server.LogDir(), "agent.log"),
	})
	require.NoError(m.t, err)
	m.agent = agent
}

func (m *machine) endAgent(signal syscall.Signal) {
	m.t.Helper()
	require.NoError(m.t, m.agent.Signal(signal))
	_, err := m.agent.Wait(m.ctx())
	require.NoError(m.t, err)
}

// databases are the living processes of the server's database.
func (m *machine) databases() []*proc.Process {
	found, err := proc.FindByArgument(m.kind.mark + filepath.Join(m.server.ConfDir(), m.kind.config))
	require.NoError(m.t, err)
	return found
}

// database is the one process, and its end.
func (m *machine) database() *proc.Process {
	m.t.Helper()
	found := m.databases()
	m.t.Cleanup(func() {
		for _, p := range found {
			p.Release()
		}
	})
	require.Len(m.t, found, 1)
	return found[0]
}

func (m *machine) destroy() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	all := m.databases()
	if m.agent != nil {
		all = append([]*proc.Process{m.agent}, all...)
	}
	require.NoError(m.t, proc.Kill(ctx, all...))
	defer os.RemoveAll(m.server.Folder)
	if m.t.Failed() {
		for _, name := range []string{"agent.log", m.kind.log} {
			text, _ := os.ReadFile(filepath.Join(m.server.LogDir(), name))
			m.t.Logf("%s:\n%s", name, text)
		}
	}
}

func (m *machine) ctx() context.Context {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	m.t.Cleanup(cancel)
	return ctx
}

// dial connects to the agent with an identity and expects a name of it.
func (m *machine) dial(identity *pki.Identity, expect pki.Name) guestagentv1.GuestAgentServiceClient {
	m.t.Helper()
	connection, err := grpc.NewClient(m.server.AgentListen,
		grpc.WithTransportCredentials(credentials.NewTLS(identity.ClientTLS(pki.Only(expect)))),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 5 * time.Millisecond, Multiplier: 1, MaxDelay: 5 * time.Millisecond},
			MinConnectTimeout: 5 * time.Second,
		}))
	require.NoError(m.t, err)
	m.t.Cleanup(func() { _ = connection.Close() })
	return guestagentv1.NewGuestAgentServiceClient(connection)
}

// client is a taskmanager's, of an enrolled agent.
func (m *machine) client() guestagentv1.GuestAgentServiceClient {
	return m.dial(m.manager, pki.InstanceName(m.id))
}

func (m *machine) enroll() {
	m.t.Helper()
	stream, err := m.dial(m.manager, pki.BootstrapName(m.id)).Enroll(m.ctx(), grpc.WaitForReady(true))
	require.NoError(m.t, err)
	require.NoError(m.t, stream.Send(&guestagentv1.EnrollRequest{}))
	answer, err := stream.Recv()
	require.NoError(m.t, err)
	signed, err := authority.Sign(answer.GetCertificateRequest(), pki.InstanceName(m.id), time.Hour)
	require.NoError(m.t, err)
	require.NoError(m.t, stream.Send(&guestagentv1.EnrollRequest{CertificatePem: signed.CertificatePEM}))
	answer, err = stream.Recv()
	require.NoError(m.t, err)
	require.True(m.t, answer.GetEnrolled())
}

// outcome follows a changing call to its end.
func outcome[R any, P interface {
	*R
	GetProgress() *guestagentv1.Progress
}](stream grpc.ServerStreamingClient[R], err error) error {
	for err == nil {
		var answer *R
		if answer, err = stream.Recv(); err == nil && P(answer).GetProgress().GetDone() {
			return nil
		}
	}
	return err
}

const password = "Vee3-planted-secret"

func prepareRequest(id string, epoch int64) *guestagentv1.PrepareRequest {
	return mariaDB.prepareRequest(id, epoch)
}

func (m *machine) prepare() {
	m.t.Helper()
	require.NoError(m.t, outcome(m.client().Prepare(m.ctx(), m.kind.prepareRequest("task-0/prepare", 1), grpc.WaitForReady(true))))
}

// prepared is a machine with a database that serves.
func prepared(t *testing.T, changes ...func(*settings.Server)) *machine {
	t.Helper()
	return preparedOf(t, mariaDB, changes...)
}

func preparedOf(t *testing.T, k kind, changes ...func(*settings.Server)) *machine {
	t.Helper()
	m := newMachineOf(t, k, changes...)
	m.startAgent()
	m.enroll()
	m.prepare()
	return m
}

func (m *machine) restart(id string, epoch int64) error {
	return outcome(m.client().RestartDatabase(m.ctx(), &guestagentv1.RestartDatabaseRequest{
		Operation: &guestagentv1.Operation{Id: id, Epoch: epoch},
	}, grpc.WaitForReady(true)))
}

func (m *machine) status() *guestagentv1.DatabaseStatus {
	m.t.Helper()
	answer, err := m.client().GetStatus(m.ctx(), &guestagentv1.GetStatusRequest{}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	return answer.GetStatus()
}

// await watches the status until it is as wished, and gives all service states on the way.
func (m *machine) await(wished func(*guestagentv1.DatabaseStatus) bool) []string {
	m.t.Helper()
	stream, err := m.client().WatchStatus(m.ctx(), &guestagentv1.WatchStatusRequest{}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	var seen []string
	for {
		answer, err := stream.Recv()
		require.NoError(m.t, err)
		seen = append(seen, answer.GetStatus().GetServiceStatus())
		if wished(answer.GetStatus()) {
			return seen
		}
	}
}

// connect logs in over TCP as the user of the request.
func (m *machine) connect(user, password, database string) *sql.DB {
	m.t.Helper()
	db, err := m.kind.open(m.server.Address, user, password, database)
	require.NoError(m.t, err)
	m.t.Cleanup(func() { _ = db.Close() })
	return db
}

// argumentsOfAnother are our own but for the file in which `go test` has us note what we read: it is root's.
// sameForAll are the long tests that are the same for every user.
const sameForAll = "^(TestADatabaseIsUpgraded|TestAnUpgrade|TestASwitchUnderWrites|TestACutCopy|TestWhatASourceNeverHad)"

func argumentsOfAnother() []string {
	return slices.DeleteFunc(slices.Clone(os.Args[1:]), func(argument string) bool {
		return strings.HasPrefix(argument, "-test.testlogfile=")
	})
}
