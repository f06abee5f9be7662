package local

import (
	"context"
	"net/netip"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// makeInstance goes the way of the create workflow.
func (h *host) makeInstance(t *testing.T, p *Provider) string {
	t.Helper()
	spec := h.makeParts(t, p)
	_, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	return spec.InstanceID
}

// makeParts stops before the server.
func (h *host) makeParts(t *testing.T, p *Provider) step.ServerSpec {
	t.Helper()
	id := uuid.NewString()
	address, err := p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: id})
	require.NoError(t, err)
	volume, err := p.CreateVolume(t.Context(), step.VolumeSpec{InstanceID: id, Size: 1})
	require.NoError(t, err)
	return step.ServerSpec{
		InstanceID: id, Address: address, Volume: volume, Flavor: step.Flavor{RAM: 512},
		Bootstrap: step.Bootstrap{CAPEM: []byte("ca"), CertificatePEM: []byte("certificate"), KeyPEM: []byte("key")},
		Manager:   "mariadb", Version: "10.11.14",
	}
}

// agent is the server's agent that lives now.
func (h *host) agent(t *testing.T, p *Provider, id string) *proc.Process {
	t.Helper()
	agent, err := p.recordedAgent(id)
	require.NoError(t, err)
	t.Cleanup(agent.Release)
	return agent
}

// database is the server's database that lives now.
func (h *host) database(t *testing.T, id string) *proc.Process {
	t.Helper()
	pid, err := strconv.Atoi(h.awaitDatabase(t, id))
	require.NoError(t, err)
	found, err := proc.FindWhere(func(other int) bool { return other == pid })
	require.NoError(t, err)
	require.Len(t, found, 1, "the database does not run")
	t.Cleanup(found[0].Release)
	return found[0]
}

// assertEnded asks the kernel: who watches a process hears of its end a moment later.
func assertEnded(t *testing.T, process *proc.Process, message string) {
	t.Helper()
	living, err := proc.Find(process.Record())
	if err == nil {
		living.Release()
	}
	assert.ErrorIs(t, err, proc.ErrGone, message)
}

func (h *host) kill(t *testing.T, processes ...*proc.Process) {
	t.Helper()
	require.NoError(t, proc.Kill(t.Context(), processes...))
}

// running runs the provider until stop or the end of the test.
func running(t *testing.T, p *Provider) (stop func(cause error)) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stopped := false
	stop = func(cause error) {
		if stopped {
			return
		}
		stopped = true
		cancel(cause)
		require.NoError(t, <-ended)
	}
	t.Cleanup(func() { stop(nil) })
	return stop
}

func awaitEvent(t *testing.T, p *Provider, id, status string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaited)
	defer cancel()
	for {
		select {
		case event := <-p.Events():
			if event == (step.ServerEvent{InstanceID: id, Status: status}) {
				return
			}
		case <-ctx.Done():
			require.FailNow(t, "nobody told that the server is "+status)
		}
	}
}

func TestAServerDescribesItselfToItsAgent(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)

	s, err := p.folder.readServer(id)
	require.NoError(t, err)
	assert.Equal(t, id, s.InstanceID)
	assert.Equal(t, s.Address+":8781", s.AgentListen)
	assert.Equal(t, int64(512<<20), s.MemoryBytes)
	assert.True(t, filepath.IsAbs(s.DataDir))
	assert.Equal(t, p.folder.templates, s.TemplatesDir)
	if p.separateUsers {
		ip := netip.MustParseAddr(s.Address)
		assert.Equal(t, p.cfg.UIDBase+low24(ip), s.RunAsUID)
		assert.Equal(t, s.RunAsUID, s.RunAsGID)
	} else {
		assert.Zero(t, s.RunAsUID)
	}
	if p.mounts {
		assert.Zero(t, s.VolumeLimitBytes)
	} else {
		assert.Equal(t, int64(gib), s.VolumeLimitBytes)
	}
}

func TestAnAgentThatHasNotEnrolledIsStartedAnewWithANewBootstrap(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	_, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	first := h.agent(t, p, spec.InstanceID)

	spec.Bootstrap.KeyPEM = []byte("another key")
	_, err = p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	second := h.agent(t, p, spec.InstanceID)
	assert.NotEqual(t, first.PID(), second.PID())

	require.NoError(t, removeFile(p.bootstrapFile(spec.InstanceID, "key.pem"))) // as the agent does when it has enrolled
	spec.Bootstrap.KeyPEM = []byte("a third key")
	_, err = p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, second.PID(), h.agent(t, p, spec.InstanceID).PID())
	assert.NoFileExists(t, p.bootstrapFile(spec.InstanceID, "key.pem"))
}

func TestADeletionKillsWhatNoRecordNames(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	database := h.database(t, id)
	agent := h.agent(t, p, id)
	require.NoError(t, removeFile(p.folder.agentRecord(id)))

	require.NoError(t, p.DeleteServer(t.Context(), id))
	<-database.Done()
	<-agent.Done()
}

func TestAnAgentWhoseRecordWasNeverWrittenIsNotStartedTwice(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	_, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	agent := h.agent(t, p, spec.InstanceID)
	require.NoError(t, removeFile(p.folder.agentRecord(spec.InstanceID)))

	_, err = p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, agent.PID(), h.agent(t, p, spec.InstanceID).PID())
}
