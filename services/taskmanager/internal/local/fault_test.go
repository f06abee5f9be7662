package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/pkg/status"
)

func TestAServerThatIsDownSaysWhyWhereItsAgentSaidSo(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	h.awaitDatabase(t, id)
	found, err := p.processes(id)
	require.NoError(t, err)
	require.NoError(t, proc.Kill(t.Context(), found...))
	release(found)
	log := filepath.Join(p.folder.server(id), "log", "agent.log")
	for words, fault := range map[string]string{
		"": "",
		"time=now level=INFO msg=\"the guest agent serves\"\n":                           "",
		"level=INFO msg=\"serves\"\ncoffer-guestagent: listen: address already in use\n": "listen: address already in use",
	} {
		require.NoError(t, os.WriteFile(log, []byte(words), 0o600))
		down, err := p.Server(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, string(status.ServerShutdown), down.Status)
		assert.Equal(t, fault, down.Fault)
	}

	p.supervisor.bringingBack.Store(true)
	back, err := p.Server(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, string(status.ServerBuild), back.Status, "it may be brought back in a moment")
}
