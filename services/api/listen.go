package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// How the public face is protected.
const (
	// SecurityMTLS is for gateways: both sides show certificates of the control plane's own authority.
	SecurityMTLS = "mtls"
	// SecurityTLS is for anybody: the api shows the given certificate.
	SecurityTLS = "tls"
	// SecurityNone speaks in the clear.
	SecurityNone = "none"
)

// ListenConfig says where an api that runs alone is reached. An empty address leaves a face out.
type ListenConfig struct {
	// Public is the address of the services for users.
	Public string `koanf:"public"`
	// PublicSecurity is mtls, tls or none.
	PublicSecurity string `koanf:"public_security"`
	// CertificateFile and KeyFile are for tls.
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
	// Insecure lets faces that speak in the clear listen on addresses that others can reach.
	Insecure bool `koanf:"insecure"`
	// Internal is the address of the services for taskmanagers, always mTLS.
	Internal string `koanf:"internal"`
	// Identity is the address of the built-in identity service, in the clear or by tls like the public face.
	Identity string `koanf:"identity"`
	// Operations is the address of /metrics and /healthz.
	Operations string `koanf:"operations"`
}

func defaultListen() ListenConfig {
	return ListenConfig{
		Public: "127.0.0.1:8780", PublicSecurity: SecurityMTLS, Internal: "127.0.0.1:8782", Operations: "127.0.0.1:8783",
	}
}

// Validate joins all that is wrong.
func (c ListenConfig) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	for name, address := range map[string]string{
		"public": c.Public, "internal": c.Internal, "identity": c.Identity, "operations": c.Operations,
	} {
		_, _, err := net.SplitHostPort(address)
		fault(address != "" && err != nil, "%s: must be host:port, is %q", name, address)
	}
	switch c.PublicSecurity {
	case SecurityMTLS:
	case SecurityTLS:
		fault(c.CertificateFile == "", "certificate_file: must name a file with %s", SecurityTLS)
		fault(c.KeyFile == "", "key_file: must name a file with %s", SecurityTLS)
	case SecurityNone:
		fault(!c.Insecure && !loopback(c.Public), "public_security: %s needs a loopback address, or insecure: true", SecurityNone)
	default:
		fault(true, "public_security: must be %s, %s or %s, is %q", SecurityMTLS, SecurityTLS, SecurityNone, c.PublicSecurity)
	}
	fault(c.CertificateFile == "" && !c.Insecure && !loopback(c.Identity),
		"identity: must be a loopback address without certificate_file, or insecure: true")
	return errors.Join(faults...)
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if address == "" || err != nil {
		// An empty address listens nowhere; a wrong one is a fault of its own.
		return true
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

const (
	// ownCertificate is the lifetime of the api's own certificate, which is made anew at each start, and at half of it.
	ownCertificate = 365 * 24 * time.Hour
	// httpStopTimeout is how long running HTTP calls may go on at the end.
	httpStopTimeout   = 5 * time.Second
	readHeaderTimeout = 10 * time.Second
)

// Serve listens on all configured addresses and runs the api until the context ends.
func (a *API) Serve(ctx context.Context, metrics http.Handler) (err error) {
	group := lifecycle.New(a.deps.Logger)
	defer func() { err = errors.Join(err, group.Stop()) }()

	certificate, key, err := a.ca.Issue(pki.APIName(a.config.Name), ownCertificate)
	if err != nil {
		return err
	}
	own, err := pki.NewIdentity(certificate, key, a.ca.PEM())
	if err != nil {
		return err
	}
	group.Go(ctx, "certificate", func(ctx context.Context) error { return a.renew(ctx, own) })
	userTLS, err := a.config.Listen.userTLS(a.deps.Logger)
	if err != nil {
		return err
	}
	publicTLS := userTLS
	if a.config.Listen.PublicSecurity == SecurityMTLS {
		publicTLS = own.ServerTLS(pki.OnlyKind(pki.KindGateway))
	}

	public := grpckit.NewServer(publicTLS, a.chains.public.Unary, a.chains.public.Stream)
	a.PublicServices(public)
	internal := grpckit.NewServer(own.ServerTLS(pki.OnlyKind(pki.KindTaskmanager)),
		a.chains.internal.Unary, a.chains.internal.Stream)
	a.InternalServices(internal)
	operations := http.NewServeMux()
	operations.Handle("GET /healthz", observe.HealthHandler(func() error { return a.Ready(ctx) }))
	operations.Handle("GET /metrics", metrics)

	listen := a.config.Listen
	if err := errors.Join(
		a.serveHTTP(ctx, group, "operations", listen.Operations, nil, operations),
		a.serveHTTP(ctx, group, "identity", listen.Identity, userTLS, a.IdentityHandler()),
		a.serveGRPC(ctx, group, "public gRPC", listen.Public, public),
		a.serveGRPC(ctx, group, "internal gRPC", listen.Internal, internal),
	); err != nil {
		return err
	}
	// Last, so that it ends first: its end ends the streams, for which the servers would wait.
	group.Go(ctx, "api", a.Run)
	return group.Wait(ctx)
}

// renew replaces the api's own certificate at half of its life, until the context ends.
func (a *API) renew(ctx context.Context, own *pki.Identity) error {
	half := time.NewTicker(ownCertificate / 2)
	defer half.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-half.C:
		}
		certificate, key, err := a.ca.Issue(pki.APIName(a.config.Name), ownCertificate)
		if err == nil {
			err = own.Replace(certificate, key)
		}
		if err != nil {
			return fmt.Errorf("renew the api's certificate: %w", err)
		}
	}
}

func (c ListenConfig) userTLS(logger *slog.Logger) (*tls.Config, error) {
	if c.CertificateFile == "" {
		return nil, nil
	}
	return pki.HostTLS(c.CertificateFile, c.KeyFile, logger)
}

func (a *API) serveGRPC(
	ctx context.Context, group *lifecycle.Group, name, address string, server *grpc.Server,
) error {
	listener, err := a.listen(ctx, name, address)
	if listener == nil {
		return err
	}
	group.Go(ctx, name, func(ctx context.Context) error { return grpckit.Serve(ctx, server, listener) })
	return nil
}

func (a *API) serveHTTP(
	ctx context.Context, group *lifecycle.Group, name, address string, tlsConfig *tls.Config, handler http.Handler,
) error {
	listener, err := a.listen(ctx, name, address)
	if listener == nil {
		return err
	}
	if tlsConfig != nil {
		listener = tls.NewListener(listener, tlsConfig)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}
	group.Go(ctx, name, func(ctx context.Context) error { return runHTTP(ctx, server, listener) })
	return nil
}

// listen answers nil without an error for an empty address.
func (a *API) listen(ctx context.Context, name, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", name, err)
	}
	a.deps.Logger.Info("listening", "for", name, "address", listener.Addr().String())
	return listener, nil
}

func runHTTP(ctx context.Context, server *http.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpStopTimeout)
	defer cancel()
	err := server.Shutdown(stopping)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
