package identity_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/identity"
)

const instanceID = "4f9f1d3e-0000-4000-8000-000000000000"

// disk is a machine's own.
type disk struct {
	t                *testing.T
	ca               *pki.CA
	bootstrap, agent string
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	dir := t.TempDir()
	ca, err := pki.OpenCA(filepath.Join(dir, "ca"))
	require.NoError(t, err)
	d := &disk{t: t, ca: ca, bootstrap: filepath.Join(dir, "bootstrap"), agent: filepath.Join(dir, "agent")}
	require.NoError(t, os.Mkdir(d.bootstrap, 0o700))
	require.NoError(t, os.Mkdir(d.agent, 0o700))
	return d
}

func (d *disk) issue() identity.Bootstrap {
	d.t.Helper()
	certificate, key, err := d.ca.Issue(pki.BootstrapName(instanceID), time.Hour)
	require.NoError(d.t, err)
	return identity.Bootstrap{CA: d.ca.PEM(), Certificate: certificate, Key: key}
}

// boot is what happens at each start.
func (d *disk) boot(b identity.Bootstrap) *identity.Guest {
	d.t.Helper()
	require.NoError(d.t, identity.Begin(b, d.bootstrap, d.agent))
	guest, err := identity.Open(instanceID, d.bootstrap, d.agent)
	require.NoError(d.t, err)
	return guest
}

func (d *disk) enrol(guest *identity.Guest) {
	d.t.Helper()
	request, err := guest.Request()
	require.NoError(d.t, err)
	signed, err := d.ca.Sign(request, pki.InstanceName(instanceID), time.Hour)
	require.NoError(d.t, err)
	require.NoError(d.t, guest.Accept(signed.CertificatePEM))
}

func TestABootstrapIsSpentByEnrolment(t *testing.T) {
	d := newDisk(t)
	first := d.issue()
	for range 2 { // before it enrols, a machine may boot as often as it likes
		assert.False(t, d.boot(first).Enrolled())
	}
	d.enrol(d.boot(first))
	key, err := os.ReadFile(filepath.Join(d.agent, "key.pem"))
	require.NoError(t, err)
	assert.True(t, d.boot(first).Enrolled())
	assert.NoFileExists(t, filepath.Join(d.bootstrap, "key.pem"))
	same, err := os.ReadFile(filepath.Join(d.agent, "key.pem"))
	require.NoError(t, err)
	assert.Equal(t, key, same)
}

func TestAnotherBootstrapBeginsAnotherIdentity(t *testing.T) {
	d := newDisk(t)
	d.enrol(d.boot(d.issue()))
	key, err := os.ReadFile(filepath.Join(d.agent, "key.pem"))
	require.NoError(t, err)

	again := d.boot(d.issue())
	assert.False(t, again.Enrolled())
	d.enrol(again)
	other, err := os.ReadFile(filepath.Join(d.agent, "key.pem"))
	require.NoError(t, err)
	assert.NotEqual(t, key, other)
}
