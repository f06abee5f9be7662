package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

// remote serves the fake api over mTLS, to gateways alone.
func remote(t *testing.T, ca *pki.CA, fake *api) string {
	t.Helper()
	certificate, key, err := ca.Issue(pki.APIName("a1"), time.Hour)
	require.NoError(t, err)
	own, err := pki.NewIdentity(certificate, key, ca.PEM())
	require.NoError(t, err)
	server := grpckit.NewServer(own.ServerTLS(pki.OnlyKind(pki.KindGateway)), []grpc.UnaryServerInterceptor{fake.intercept}, nil)
	fake.register(server)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- grpckit.Serve(ctx, server, listener) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// files writes a certificate as `coffer pki issue` does.
func files(t *testing.T, ca *pki.CA, name pki.Name, address string) gateway.APIConfig {
	t.Helper()
	certificate, key, err := ca.Issue(name, time.Hour)
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	return gateway.APIConfig{
		Address: address, Security: gateway.SecurityMTLS, CAFile: write("ca.pem", ca.PEM()),
		CertificateFile: write("cert.pem", certificate), KeyFile: write("key.pem", key),
	}
}

// start runs a gateway alone and answers with its URL.
func start(t *testing.T, config gateway.Config) string {
	t.Helper()
	config.Listen = gateway.ListenConfig{REST: "127.0.0.1:0"}
	reader, writer := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx, config, slog.New(slog.NewJSONHandler(writer, nil))) }()
	var line struct {
		Listen string `json:"listen"`
	}
	lines := json.NewDecoder(reader)
	require.NoError(t, lines.Decode(&line))
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, reader)
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, writer.Close())
		<-drained
	})
	return "http://" + line.Listen
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("X-Auth-Token", goodToken)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

func TestAGatewayAloneReachesTheAPIOverMTLS(t *testing.T) {
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	base := start(t, gateway.Config{API: files(t, ca, pki.GatewayName("g1"), remote(t, ca, cannedAPI()))})

	code, body := get(t, base+inProject("/instances/"+instanceID))
	assert.Equal(t, http.StatusOK, code, body)
	assert.Contains(t, body, `"name":"orders"`)
	code, body = get(t, base+inProject("/instances?limit=1"))
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, `"href":"`+base+"/v1.0/", "links follow the request when no public URL is set")
	code, body = get(t, base+"/healthz")
	assert.Equal(t, http.StatusOK, code, body)
}

func TestAnAPIRefusesAGatewayThatIsNone(t *testing.T) {
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	base := start(t, gateway.Config{API: files(t, ca, pki.InstanceName(instanceID), remote(t, ca, cannedAPI()))})
	code, body := get(t, base+inProject("/instances"))
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.NotContains(t, body, "certificate")
}

func TestAGatewayUsesACertificateThatIsIssuedAgainWhileItRuns(t *testing.T) {
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	config := files(t, ca, pki.GatewayName("g1"), remote(t, ca, cannedAPI()))
	issue := func(lifetime time.Duration) {
		certificate, key, err := ca.Issue(pki.GatewayName("g1"), lifetime)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(config.CertificateFile, certificate, 0o600))
		require.NoError(t, os.WriteFile(config.KeyFile, key, 0o600))
	}
	issue(-time.Minute)
	base := start(t, gateway.Config{API: config})
	code, body := get(t, base+inProject("/instances"))
	require.Equal(t, http.StatusServiceUnavailable, code, "its certificate has ended: %s", body)
	issue(time.Hour)
	require.Eventually(t, func() bool {
		code, _ := get(t, base+inProject("/instances"))
		return code == http.StatusOK
	}, 20*time.Second, 10*time.Millisecond)
}

func TestAGatewayWithoutItsAPISaysSo(t *testing.T) {
	base := start(t, gateway.Config{API: gateway.APIConfig{Address: nettest.FreeAddress(t), Security: gateway.SecurityNone}})
	code, body := get(t, base+inProject("/instances"))
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.NotContains(t, body, "127.0.")
	code, body = get(t, base+"/healthz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "api")
}
