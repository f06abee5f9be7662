package server

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/identity"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/instance"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/operation"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// largest bounds a message: a create request with a thousand users fits.
const largest = 1 << 20

// Server answers the calls of GuestAgentService.
type Server struct {
	guestagentv1.UnimplementedGuestAgentServiceServer

	// Version is the agent's.
	Version  string
	Guest    *identity.Guest
	Instance *instance.Instance
	Journal  *operation.Journal
	Hub      *report.Hub
	Log      *slog.Logger
	// Ending is closed when the agent ends: streams that would go on for ever end then.
	Ending <-chan struct{}
}

// Register makes a gRPC server that answers taskmanagers over mTLS 1.3.
func (s *Server) Register() *grpc.Server {
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(s.Guest.TLS().ServerTLS(pki.OnlyKind(pki.KindTaskmanager)))),
		grpc.ChainUnaryInterceptor(s.answerUnary), grpc.ChainStreamInterceptor(s.answerStream),
		grpc.MaxRecvMsgSize(largest), grpc.ConnectionTimeout(10*time.Second),
		// Small, since few talk to an agent and its memory is the tenant's.
		grpc.ReadBufferSize(4<<10), grpc.WriteBufferSize(4<<10),
		// A dead taskmanager's streams end; a living one may ask for life as often.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	guestagentv1.RegisterGuestAgentServiceServer(server, s)
	return server
}
