package e2e_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/pkg/pki"
)

func TestAStolenIdentityOfAGuestOpensNothing(t *testing.T) {
	t.Parallel()
	p := newPlane(t, state{driver: "sqlite", dsn: filepath.Join(t.TempDir(), "coffer.db")})
	p.startNATS()
	p.startAPI("api1", nil)
	p.startGateway()
	first := p.startTaskmanager("tm1", "", "")
	p.awaitHealthy("api1", "gateway", "tm1")
	user := p.signIn("coffer")
	robbed, beside := p.machine(user.createReady("robbed")), p.machine(user.createReady("beside"))
	first.signal(syscall.SIGTERM)

	// The bootstrap is stolen from a server that waits for its enrolment.
	doomed := p.startTaskmanager("tm1", "create_instance/create_server/done/after", "")
	p.awaitHealthy("tm1")
	made, createTask := user.create(newInstance("fresh"))
	doomed.awaitExit()
	doomed.killedAtCrashPoint()
	bootstrap := steal(t, filepath.Join(p.path("local"), "servers", made.ID, "bootstrap"))
	require.Equal(t, pki.BootstrapName(made.ID), bootstrap.Name())
	p.startTaskmanager("tm1", "", "")
	user.awaitSuccess(createTask)
	fresh := p.machine(user.show(made.ID))
	assert.NoFileExists(t, filepath.Join(fresh.folder, "bootstrap", "key.pem"), "who has enrolled keeps no bootstrap")

	public, internal := p.faces()
	doors := []string{robbed.ip + ":8781", beside.ip + ":8781", fresh.ip + ":8781", public, internal}
	for name, stolen := range map[string]*pki.Identity{
		"a guest's own": steal(t, filepath.Join(robbed.folder, "agent")), "a used bootstrap": bootstrap,
	} {
		t.Run(name, func(t *testing.T) {
			for _, door := range doors {
				assert.Error(t, knock(t, stolen, door), door)
			}
		})
	}
	for name, doors := range map[string][]string{"taskmanager/knocker": append(doors[:3:3], internal), "gateway/knocker": {public}} {
		folder := filepath.Dir(p.certificate(name, map[string]any{})["key_file"].(string))
		for _, door := range doors {
			require.NoError(t, knock(t, steal(t, folder), door), "%s is let in at %s", name, door)
		}
	}
	// Thieves take the place of a guest that is gone.
	for name, stolen := range map[string]*pki.Identity{
		"another's place": steal(t, filepath.Join(robbed.folder, "agent")), "the place of the enrolled": bootstrap,
	} {
		t.Run(name, func(t *testing.T) { assertNotSpokenTo(t, stolen, fresh) })
	}
}

// steal reads an identity from a server's folder.
func steal(t testing.TB, folder string) *pki.Identity {
	t.Helper()
	var texts [3][]byte
	for i, name := range []string{"cert.pem", "key.pem", "ca.pem"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		texts[i] = text
	}
	stolen, err := pki.NewIdentity(texts[0], texts[1], texts[2])
	require.NoError(t, err)
	return stolen
}

// knock is an error when a door is shut to the identity: in TLS 1.3 who calls learns that with the first read, which
// else is the beginning of HTTP/2.
func knock(t testing.TB, stolen *pki.Identity, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	door, err := (&tls.Dialer{Config: withHTTP2(stolen.ClientTLS(anybody))}).DialContext(ctx, "tcp", address)
	require.NoError(t, err)
	_, err = door.Read(make([]byte, 1))
	return errors.Join(err, door.Close())
}

// assertNotSpokenTo stands where a guest stood until the control plane calls, which must hang up before it has said
// anything.
func assertNotSpokenTo(t testing.TB, stolen *pki.Identity, guest machine) {
	t.Helper()
	var listener net.Listener
	// The guest is started again: its place is free for a moment alone.
	within(t, "the place of the guest", func() bool {
		killAllOf(t, guest.folder)
		var err error
		listener, err = listen(guest.ip + ":8781")
		return err == nil
	})
	defer func() { require.NoError(t, listener.Close()) }()
	thief := tls.NewListener(listener, withHTTP2(stolen.ServerTLS(anybody)))
	caller, err := thief.Accept()
	require.NoError(t, err)
	defer func() { _ = caller.Close() }()
	heard, err := io.ReadAll(caller)
	require.ErrorContains(t, err, "bad certificate")
	assert.Empty(t, heard)
}

func withHTTP2(config *tls.Config) *tls.Config {
	config.NextProtos = []string{"h2"}
	return config
}

func anybody(pki.Name) error { return nil }

// faces are the addresses of the api, for users and for taskmanagers.
func (p *plane) faces() (public, internal string) {
	p.t.Helper()
	text, err := os.ReadFile(p.path("coffer.yaml"))
	require.NoError(p.t, err)
	var config struct {
		API struct {
			Listen struct{ Public, Internal string }
		}
	}
	require.NoError(p.t, yaml.Unmarshal(text, &config))
	return config.API.Listen.Public, config.API.Listen.Internal
}
