package transfer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/transfer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	t      *testing.T
	ca     *pki.CA
	server *transfer.Server
}

func setup(t *testing.T) *bench {
	t.Helper()
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	b := &bench{t: t, ca: ca}
	b.server = transfer.NewServer(b.identity(pki.InstanceName("source")), nettest.FreeAddress(t), slog.New(slog.DiscardHandler))
	t.Cleanup(b.server.Close)
	return b
}

func (b *bench) identity(name pki.Name) *pki.Identity {
	certificate, key, err := b.ca.Issue(name, time.Hour)
	require.NoError(b.t, err)
	identity, err := pki.NewIdentity(certificate, key, b.ca.PEM())
	require.NoError(b.t, err)
	return identity
}

func (b *bench) announce(word string, send transfer.Send) {
	b.t.Helper()
	require.NoError(b.t, b.server.Announce("replica", word, time.Minute, send))
}

// fetch reads a whole copy as an instance.
func (b *bench) fetch(id, word string) ([]byte, error) {
	stream, err := transfer.Fetch(b.t.Context(), b.identity(pki.InstanceName(id)), "source", b.server.Address(), word)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return io.ReadAll(stream)
}

func (b *bench) listens() bool {
	connection, err := net.Dial("tcp", b.server.Address())
	if err == nil {
		_ = connection.Close()
	}
	return err == nil
}

func sends(data []byte) transfer.Send {
	return func(_ context.Context, to io.Writer) error {
		_, err := to.Write(data)
		return err
	}
}

func cut(t *testing.T, err error, what string) {
	t.Helper()
	assert.True(t, errs.IsReason(err, "COPY_CUT") && errs.IsKind(err, errs.Unavailable), "%s: %v", what, err)
}

func TestACopyIsTakenOnceByTheReplicaThatItIsFor(t *testing.T) {
	b := setup(t)
	assert.False(t, b.listens())
	data := make([]byte, 3<<20+17)
	_, err := rand.Read(data)
	require.NoError(t, err)
	b.announce("word", sends(data))
	assert.True(t, b.listens())

	_, err = b.fetch("other", "word")
	cut(t, err, "another instance")
	_, err = b.fetch("replica", "wrong")
	cut(t, err, "a wrong word")
	got, err := b.fetch("replica", "word")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(data, got))
	assert.False(t, b.listens())
	_, err = b.fetch("replica", "word")
	cut(t, err, "a used word")
}

func TestAnImpostorIsNotAskedForACopy(t *testing.T) {
	b := setup(t)
	b.announce("word", sends(nil))
	_, err := transfer.Fetch(t.Context(), b.identity(pki.InstanceName("replica")), "another source", b.server.Address(), "word")
	cut(t, err, "another source")
	_, err = transfer.Fetch(t.Context(), b.identity(pki.TaskmanagerName("replica")), "source", b.server.Address(), "word")
	if err == nil {
		_, err = b.fetch("replica", "not the word")
	}
	cut(t, err, "a taskmanager")
}

func TestAnEmptyCopyIsWholeToo(t *testing.T) {
	b := setup(t)
	b.announce("word", sends(nil))
	got, err := b.fetch("replica", "word")
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestACopyThatFailsIsCut(t *testing.T) {
	b := setup(t)
	b.announce("word", func(_ context.Context, to io.Writer) error {
		_, err := to.Write(make([]byte, 1000))
		return errors.Join(err, errors.New("the disk is on fire"))
	})
	got, err := b.fetch("replica", "word")
	cut(t, err, "a source that fails")
	assert.Len(t, got, 1000)
}

func TestASourceThatDiesIsNoEnd(t *testing.T) {
	b := setup(t)
	begun := make(chan struct{})
	b.announce("word", func(ctx context.Context, to io.Writer) error {
		if _, err := to.Write(make([]byte, 1000)); err != nil {
			return err
		}
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	go func() { <-begun; b.server.Close() }()
	_, err := b.fetch("replica", "word")
	cut(t, err, "a source that dies")
	cut(t, func() error { _, err := b.fetch("replica", "word"); return err }(), "a dead source")
	assert.True(t, errs.IsReason(b.server.Announce("replica", "word", time.Minute, sends(nil)), "AGENT_STOPPING"))
}

func TestAConnectionThatIsClosedInOrderIsNoEnd(t *testing.T) {
	b := setup(t)
	source := b.identity(pki.InstanceName("source"))
	listener, err := tls.Listen("tcp", "127.0.0.1:0", source.GuestTLS(pki.Only(pki.InstanceName("replica"))))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = connection.Write([]byte{0, 0, 0, 3, 'a', 'b', 'c'})
		_ = connection.Close()
	}()
	stream, err := transfer.Fetch(t.Context(), b.identity(pki.InstanceName("replica")), "source", listener.Addr().String(), "word")
	require.NoError(t, err)
	defer stream.Close()
	got, err := io.ReadAll(stream)
	cut(t, err, "an orderly close")
	assert.Equal(t, "abc", string(got))
}

func TestAReplicaThatLeavesEndsTheSending(t *testing.T) {
	b := setup(t)
	ended := make(chan error, 1)
	b.announce("word", func(_ context.Context, to io.Writer) error {
		for {
			if _, err := to.Write(make([]byte, 1<<16)); err != nil {
				ended <- err
				return err
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := transfer.Fetch(ctx, b.identity(pki.InstanceName("replica")), "source", b.server.Address(), "word")
	require.NoError(t, err)
	_, err = io.ReadFull(stream, make([]byte, 1<<20))
	require.NoError(t, err)
	cancel()
	require.Error(t, <-ended)
	_, err = io.ReadAll(stream)
	cut(t, err, "a context that ended")
	require.NoError(t, stream.Close())
}

func TestAnAnnouncementEndsWithItsTimeOrWhenItIsTakenBack(t *testing.T) {
	b := setup(t)
	require.NoError(t, b.server.Announce("replica", "word", time.Millisecond, sends(nil)))
	require.Eventually(t, func() bool { return !b.listens() }, 10*time.Second, time.Millisecond)
	b.announce("word", sends(nil))
	b.announce("another", sends(nil))
	_, err := b.fetch("replica", "word")
	cut(t, err, "the former word")
	b.server.Withdraw("replica")
	b.server.Withdraw("replica")
	assert.False(t, b.listens())
}
