package dialect

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// Config is what the dialect needs to know of its surroundings.
type Config struct {
	// PublicURL is the base of links, without a slash at its end; empty: the scheme and host of each request.
	PublicURL string
	// IdentityURL is Keystone's, named to callers without a token; empty: /identity of the public URL.
	IdentityURL string
	// RateLimits are requests per minute and project by HTTP method; a method without one is not limited.
	RateLimits map[string]int
	// Healthy names the part that is not ready, or is nil.
	Healthy func(context.Context) error
}

// Dialect is the REST APIs over Coffer's services.
type Dialect struct {
	config  Config
	logger  *slog.Logger
	routes  routes
	codec   *codec
	events  *eventWriter
	limits  *rateLimits
	access  identityv1.AccessServiceClient
	watcher eventv1.EventServiceClient
	mux     *runtime.ServeMux
	steps   []step
}

// step prepares a request for the mux, or refuses it.
type step func(*exchange, *http.Request) (*http.Request, *fault)

// served are the files whose services have http rules.
var served = []protoreflect.FileDescriptor{
	quotav1.File_coffer_quota_v1_quota_proto,
	flavorv1.File_coffer_flavor_v1_flavor_proto,
	datastorev1.File_coffer_datastore_v1_datastore_proto,
	taskv1.File_coffer_task_v1_task_proto,
	ddmv1.File_coffer_ddm_v1_ddm_proto,
	dmsv1.File_coffer_dms_v1_dms_proto,
	mgmtv1.File_coffer_mgmt_v1_mgmt_proto,
	instancev1.File_coffer_instance_v1_instance_proto,
}

// register puts the generated handlers on the mux. It tries the last ones first, hence the instances at the end.
func register(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
	for _, err := range []error{
		quotav1.RegisterQuotaServiceHandlerClient(ctx, mux, quotav1.NewQuotaServiceClient(conn)),
		flavorv1.RegisterFlavorServiceHandlerClient(ctx, mux, flavorv1.NewFlavorServiceClient(conn)),
		datastorev1.RegisterDatastoreServiceHandlerClient(ctx, mux, datastorev1.NewDatastoreServiceClient(conn)),
		taskv1.RegisterTaskServiceHandlerClient(ctx, mux, taskv1.NewTaskServiceClient(conn)),
		ddmv1.RegisterDDMServiceHandlerClient(ctx, mux, ddmv1.NewDDMServiceClient(conn)),
		dmsv1.RegisterDMSServiceHandlerClient(ctx, mux, dmsv1.NewDMSServiceClient(conn)),
		mgmtv1.RegisterManagementServiceHandlerClient(ctx, mux, mgmtv1.NewManagementServiceClient(conn)),
		instancev1.RegisterInstanceServiceHandlerClient(ctx, mux, instancev1.NewInstanceServiceClient(conn)),
	} {
		if err != nil {
			return fmt.Errorf("register generated handlers: %w", err)
		}
	}
	return nil
}

// New makes the dialect over a connection to the api's public services.
func New(ctx context.Context, config Config, conn grpc.ClientConnInterface, logger *slog.Logger) (*Dialect, error) {
	var services []protoreflect.ServiceDescriptor
	for _, file := range served {
		for i := range file.Services().Len() {
			services = append(services, file.Services().Get(i))
		}
	}
	routes, err := routesOf(services)
	if err != nil {
		return nil, err
	}
	codec, err := newCodec(routes)
	if err != nil {
		return nil, err
	}
	events, err := newEventWriter(codec.plans)
	if err != nil {
		return nil, err
	}
	d := &Dialect{
		config: config, logger: logger, routes: routes, codec: codec, events: events, limits: newRateLimits(config.RateLimits),
		access: identityv1.NewAccessServiceClient(conn), watcher: eventv1.NewEventServiceClient(conn),
	}
	d.steps = []step{d.settlePath, d.limitRate, d.noteDryRun, d.takeBody, d.wantBody, d.turnAction}
	d.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, codec),
		runtime.SetQueryParameterParser(queryParser{}),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(outgoing),
		runtime.WithForwardResponseOption(d.answerHead),
		runtime.WithForwardResponseRewriter(d.turnPage),
		runtime.WithErrorHandler(d.answerError),
		runtime.WithRoutingErrorHandler(d.answerNoRoute),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptSlash),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	if err := register(ctx, d.mux, conn); err != nil {
		return nil, err
	}
	if err := d.mux.HandlePath(http.MethodGet, "/v1.0/{project_id}/events", d.watchEvents); err != nil {
		return nil, fmt.Errorf("route events: %w", err)
	}
	return d, nil
}

// ServeHTTP answers one request.
func (d *Dialect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	clean(r.Header)
	x := &exchange{Context: r.Context(), requestID: requestID(r.Header), request: r, manner: trove{}}
	id := []string{x.requestID}
	r.Header[headerRequestID], w.Header()[headerRequestID], w.Header()[headerComputeRequestID] = id, id, id
	if !wantsEvents(r) {
		limited, cancel := context.WithTimeout(x.Context, server.RequestTimeout)
		defer cancel()
		x.Context = limited
	}
	r = r.WithContext(x) //nolint:contextcheck // The exchange wraps the request's own context.
	defer d.rescue(w, r)

	if d.serveUnversioned(w, r) {
		return
	}
	var refused *fault
	for _, step := range d.steps {
		if r, refused = step(x, r); refused != nil {
			d.refuse(w, x.request.WithContext(x), refused) //nolint:contextcheck // As above.
			return
		}
	}
	d.mux.ServeHTTP(w, r)
}
