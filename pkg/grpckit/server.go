package grpckit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Limits of every server and connection.
const (
	// maxMessage bounds a message; the largest of ours, a page of instances, stays far below it.
	maxMessage = 4 << 20
	// pingInterval is how soon a peer that vanished without a word is noticed, together with pingTimeout.
	pingInterval = 15 * time.Second
	pingTimeout  = 5 * time.Second
	// minPingInterval is how often a client may ping before it counts as abusive.
	minPingInterval = 5 * time.Second
	// connectTimeout bounds a handshake.
	connectTimeout = 10 * time.Second
	// stopTimeout is how long running calls may go on when a server stops.
	stopTimeout = 5 * time.Second
)

// NewServer makes a server with the interceptors in their order. Without a TLS configuration it speaks in the clear,
// which only suits loopback addresses or an operator who said so.
func NewServer(
	tlsConfig *tls.Config, unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor,
) *grpc.Server {
	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(unary...),
		grpc.ChainStreamInterceptor(stream...),
		grpc.StatsHandler(otelgrpc.NewServerHandler()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.ConnectionTimeout(connectTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingInterval, Timeout: pingTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}),
	}
	if tlsConfig != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(tlsConfig)))
	}
	return grpc.NewServer(options...)
}

// Serve answers calls on the listener until the context ends; then it lets running calls end for a moment, and cuts
// off those that do not, such as streams that would go on for ever.
func Serve(ctx context.Context, server *grpc.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve gRPC on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	cut := time.AfterFunc(stopTimeout, server.Stop)
	server.GracefulStop()
	cut.Stop()
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC on %s: %w", listener.Addr(), err)
	}
	return nil
}
