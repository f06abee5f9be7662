package journal

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/pki"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/secret"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Server answers the internal services.
type Server struct {
	journalv1.UnimplementedJournalServiceServer
	journalv1.UnimplementedGuestServiceServer
	journalv1.UnimplementedCatalogServiceServer
	journalv1.UnimplementedSigningServiceServer

	Parts
}

// Parts are what a server works with.
type Parts struct {
	Store   store.Store
	Catalog *catalog.Cache
	Secrets *secret.Keeper
	CA      *pki.CA
	// Guests tells when the set of guests or of monitors changes.
	Guests *Bell
	Logger *slog.Logger
	// Lease is how long a claim holds without being renewed.
	Lease time.Duration
	// MaxClaims is how many claims in a row without a record end a task as failed.
	MaxClaims int
	// MonitorLease is how long a monitor counts as living after its last word.
	MonitorLease time.Duration
}

// New makes a server.
func New(parts Parts) *Server { return &Server{Parts: parts} }

// Register puts all internal services on a registrar.
func (s *Server) Register(registrar grpc.ServiceRegistrar) {
	journalv1.RegisterJournalServiceServer(registrar, s)
	journalv1.RegisterGuestServiceServer(registrar, s)
	journalv1.RegisterCatalogServiceServer(registrar, s)
	journalv1.RegisterSigningServiceServer(registrar, s)
}
