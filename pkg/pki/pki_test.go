package pki_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/pki"
)

func TestACAIsMadeOnceAndFoundAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	made, err := pki.OpenCA(dir)
	require.NoError(t, err)
	found, err := pki.OpenCA(dir)
	require.NoError(t, err)
	assert.Equal(t, made.PEM(), found.PEM())

	info, err := os.Stat(filepath.Join(dir, "ca.key"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestNames(t *testing.T) {
	name := pki.InstanceName("7de1bed8")
	assert.Equal(t, pki.Name("coffer://instance/7de1bed8"), name)
	assert.Equal(t, pki.KindInstance, name.Kind())
	assert.Equal(t, "7de1bed8", name.ID())

	parsed, err := pki.ParseName("taskmanager/tm1")
	require.NoError(t, err)
	assert.Equal(t, pki.TaskmanagerName("tm1"), parsed)
	for _, bad := range []string{"", "taskmanager", "taskmanager/", "god/x", "instance/a/b"} {
		_, err := pki.ParseName(bad)
		assert.Error(t, err, bad)
	}
}

func TestBothSidesCheckTheOthersName(t *testing.T) {
	ca := openCA(t)
	other := openCA(t)
	guest := issue(t, ca, pki.InstanceName("a"))
	taskmanager := issue(t, ca, pki.TaskmanagerName("tm"))

	onlyTaskmanagers := guest.ServerTLS(pki.OnlyKind(pki.KindTaskmanager))
	onlyA := pki.Only(pki.InstanceName("a"))

	require.NoError(t, handshake(t, onlyTaskmanagers, taskmanager.ClientTLS(onlyA)))
	for what, client := range map[string]*tls.Config{
		"another instance is expected":     taskmanager.ClientTLS(pki.Only(pki.InstanceName("b"))),
		"a guest cannot call":              guest.ClientTLS(onlyA),
		"a bootstrap identity cannot call": issue(t, ca, pki.BootstrapName("a")).ClientTLS(onlyA),
		"a gateway is no taskmanager":      issue(t, ca, pki.GatewayName("g")).ClientTLS(onlyA),
		"a foreign CA proves nothing":      issue(t, other, pki.TaskmanagerName("tm")).ClientTLS(onlyA),
		"no certificate at all":            {InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
		"an older TLS":                     older(taskmanager.ClientTLS(onlyA)),
	} {
		require.Error(t, handshake(t, onlyTaskmanagers, client), what)
	}
	impostor := issue(t, ca, pki.TaskmanagerName("x")).ServerTLS(func(pki.Name) error { return nil })
	assert.Error(t, handshake(t, impostor, taskmanager.ClientTLS(func(pki.Name) error { return nil })),
		"a taskmanager's certificate cannot serve")
}

func TestAReplacedCertificateIsUsedByTheNextConnection(t *testing.T) {
	ca := openCA(t)
	guest := issue(t, ca, pki.BootstrapName("a"))
	taskmanager := issue(t, ca, pki.TaskmanagerName("tm"))
	server := guest.ServerTLS(pki.OnlyKind(pki.KindTaskmanager))

	certificate, key, err := ca.Issue(pki.InstanceName("a"), time.Hour)
	require.NoError(t, err)
	require.NoError(t, guest.Replace(certificate, key))

	assert.NoError(t, handshake(t, server, taskmanager.ClientTLS(pki.Only(pki.InstanceName("a")))))
	assert.Equal(t, pki.InstanceName("a"), guest.Name())
	assert.WithinDuration(t, time.Now().Add(time.Hour), guest.Expires(), time.Minute)
}

func TestAnEndedCertificateIsRefused(t *testing.T) {
	ca := openCA(t)
	certificate, key, err := ca.Issue(pki.InstanceName("a"), -time.Minute)
	require.NoError(t, err)
	ended, err := pki.NewIdentity(certificate, key, ca.PEM())
	require.NoError(t, err)
	taskmanager := issue(t, ca, pki.TaskmanagerName("tm"))

	onlyA, server := pki.Only(pki.InstanceName("a")), ended.ServerTLS(pki.OnlyKind(pki.KindTaskmanager))
	require.Error(t, handshake(t, server, taskmanager.ClientTLS(onlyA)))
	require.NoError(t, handshake(t, server, taskmanager.RenewalTLS(onlyA)), "it can be renewed")
	require.Error(t, handshake(t, server, taskmanager.RenewalTLS(pki.Only(pki.InstanceName("b")))), "under its name")
	assert.Error(t, handshake(t, server, issue(t, openCA(t), pki.TaskmanagerName("tm")).RenewalTLS(onlyA)), "by its CA")
}

func openCA(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	return ca
}

func issue(t *testing.T, ca *pki.CA, name pki.Name) *pki.Identity {
	t.Helper()
	certificate, key, err := ca.Issue(name, time.Hour)
	require.NoError(t, err)
	identity, err := pki.NewIdentity(certificate, key, ca.PEM())
	require.NoError(t, err)
	return identity
}

func older(config *tls.Config) *tls.Config {
	config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	return config
}

// handshake connects both and has each hear a byte of the other: in TLS 1.3 a client learns of its refusal only then.
func handshake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	near, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	far, err := listener.Accept()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	deadline := time.Now().Add(10 * time.Second)
	require.NoError(t, errors.Join(near.SetDeadline(deadline), far.SetDeadline(deadline)))
	served := make(chan error, 1)
	go func() { served <- exchange(tls.Server(far, server)) }()
	err = exchange(tls.Client(near, client))
	return errors.Join(err, <-served)
}

func exchange(connection *tls.Conn) error {
	defer func() { _ = connection.NetConn().Close() }()
	if err := connection.Handshake(); err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() { _, err := connection.Write([]byte{1}); written <- err }()
	_, err := io.ReadFull(connection, make([]byte, 1))
	return errors.Join(err, <-written)
}

func TestAGuestCallsAnotherWhereThatIsMeantAndNowhereElse(t *testing.T) {
	ca, other := openCA(t), openCA(t)
	source, replica := issue(t, ca, pki.InstanceName("a")), issue(t, ca, pki.InstanceName("b"))
	onlyA, onlyB := pki.Only(pki.InstanceName("a")), pki.Only(pki.InstanceName("b"))
	require.NoError(t, handshake(t, source.GuestTLS(onlyB), replica.ClientTLS(onlyA)))
	for what, client := range map[string]*tls.Config{
		"another guest is announced":   issue(t, ca, pki.InstanceName("c")).ClientTLS(onlyA),
		"a foreign CA proves nothing":  issue(t, other, pki.InstanceName("b")).ClientTLS(onlyA),
		"another source is expected":   replica.ClientTLS(onlyB),
		"a bootstrap identity":         issue(t, ca, pki.BootstrapName("b")).ClientTLS(onlyA),
		"no certificate at all":        {InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
		"a taskmanager is not a guest": issue(t, ca, pki.TaskmanagerName("b")).ClientTLS(onlyA),
	} {
		require.Error(t, handshake(t, source.GuestTLS(onlyB), client), what)
	}
}
