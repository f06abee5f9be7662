package server

import (
	"time"

	"google.golang.org/grpc"

	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
	identityv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/identity/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	quotav1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/quota/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/event"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/outbox"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
	"github.com/coffer-dbaas/coffer/services/api/internal/secret"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Server answers the public services.
type Server struct {
	instancev1.UnimplementedInstanceServiceServer
	datastorev1.UnimplementedDatastoreServiceServer
	flavorv1.UnimplementedFlavorServiceServer
	quotav1.UnimplementedQuotaServiceServer
	taskv1.UnimplementedTaskServiceServer
	eventv1.UnimplementedEventServiceServer
	identityv1.UnimplementedAccessServiceServer
	mgmtv1.UnimplementedManagementServiceServer
	dmsv1.UnimplementedDMSServiceServer

	Parts
}

// Parts are what a server works with.
type Parts struct {
	Store    store.Store
	Catalog  *catalog.Cache
	Policy   *policy.Policy
	Secrets  *secret.Keeper
	Events   *event.Hub
	Figures  *call.Figures
	Settings Settings
	Now      func() time.Time
	// Rush is told of the requests that are being accepted.
	Rush *outbox.Rush
}

// Settings are the operator's.
type Settings struct {
	// PublicURL is where clients reach the REST API, without a slash at its end.
	PublicURL string
	// InstancesPage and TasksPage are how many elements a page has at most, and when the caller does not say.
	InstancesPage int
	TasksPage     int
	Limits        newinstance.Limits
	// EjectSilence is how long a replica source must have been silent until it may be ejected.
	EjectSilence time.Duration
	// Quota is what a project may have, unless it has a limit of its own; -1 is unlimited.
	Quota map[store.Resource]int
	// Rates are requests per minute and project by verb. They are told here and held by the gateway.
	Rates map[string]int
}

// New makes a server.
func New(parts Parts) *Server { return &Server{Parts: parts} }

// Register puts all public services on a registrar.
func (s *Server) Register(registrar grpc.ServiceRegistrar) {
	instancev1.RegisterInstanceServiceServer(registrar, s)
	datastorev1.RegisterDatastoreServiceServer(registrar, s)
	flavorv1.RegisterFlavorServiceServer(registrar, s)
	quotav1.RegisterQuotaServiceServer(registrar, s)
	taskv1.RegisterTaskServiceServer(registrar, s)
	eventv1.RegisterEventServiceServer(registrar, s)
	identityv1.RegisterAccessServiceServer(registrar, s)
	mgmtv1.RegisterManagementServiceServer(registrar, s)
	ddmv1.RegisterDDMServiceServer(registrar, ddmServer{Server: s})
	dmsv1.RegisterDMSServiceServer(registrar, s)
}
