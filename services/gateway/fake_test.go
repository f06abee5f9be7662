package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
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
	"github.com/coffer-dbaas/coffer/services/gateway"
)

const (
	project    = "9f8dd5eacb074c9f87d2d822c9092aa5"
	goodToken  = "good-token"
	instanceID = "7de1bed8-6983-4d46-9a52-0abfbb0d27a2"
	replicaID  = "9aa5e7d3-4a6e-4f0b-8c0d-2f4f0c9d1b77"
	taskID     = "1c9fd8a2-0f2b-4d6c-9f6e-0f2a5a5f7d11"
)

// api stands where the real one would, at the proto seam: its answers are canned by method, and it remembers what it
// was asked.
type api struct {
	answers map[string]proto.Message
	// plans are the answers to dry runs.
	plans map[string]proto.Message
	fail  error
	// requests and metadata of the calls, CheckAccess aside.
	requests []proto.Message
	metadata []metadata.MD
	checks   int
	watch    func(*eventv1.WatchEventsRequest, grpc.ServerStreamingServer[eventv1.WatchEventsResponse]) error
}

// intercept answers every unary call in place of a handler.
func (a *api) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if err := admit(md, request); err != nil {
		return nil, err
	}
	if info.FullMethod == identityv1.AccessService_CheckAccess_FullMethodName {
		a.checks++
		return &identityv1.CheckAccessResponse{}, nil
	}
	message, _ := request.(proto.Message)
	a.requests, a.metadata = append(a.requests, message), append(a.metadata, md)
	if a.fail != nil {
		return nil, a.fail
	}
	if plan := a.plans[info.FullMethod]; plan != nil && len(md.Get("coffer-dry-run")) > 0 {
		return plan, nil
	}
	if answer := a.answers[info.FullMethod]; answer != nil {
		return answer, nil
	}
	return nil, errs.New(errs.Internal, "NO_ANSWER", "no answer for %s", info.FullMethod)
}

// admit stands for the api's authentication and project check.
func admit(md metadata.MD, request any) error {
	if token := md.Get("x-auth-token"); len(token) != 1 || token[0] != goodToken {
		return errs.New(errs.Unauthenticated, "TOKEN", "The request you have made requires authentication.")
	}
	scoped, ok := request.(interface{ GetProjectId() string })
	if ok && scoped.GetProjectId() != project {
		return errs.New(errs.Forbidden, "WRONG_PROJECT", "User with tenant id %s cannot access this resource.", scoped.GetProjectId())
	}
	return nil
}

type eventService struct {
	eventv1.UnimplementedEventServiceServer
	api *api
}

func (s eventService) WatchEvents(
	request *eventv1.WatchEventsRequest, stream grpc.ServerStreamingServer[eventv1.WatchEventsResponse],
) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	if err := admit(md, request); err != nil {
		return err
	}
	return s.api.watch(request, stream)
}

func (a *api) channel() *grpckit.Channel {
	channel := grpckit.NewChannel([]grpc.UnaryServerInterceptor{a.intercept}, nil)
	a.register(channel)
	return channel
}

func (a *api) register(channel grpc.ServiceRegistrar) {
	instancev1.RegisterInstanceServiceServer(channel, instancev1.UnimplementedInstanceServiceServer{})
	ddmv1.RegisterDDMServiceServer(channel, ddmv1.UnimplementedDDMServiceServer{})
	dmsv1.RegisterDMSServiceServer(channel, dmsv1.UnimplementedDMSServiceServer{})
	mgmtv1.RegisterManagementServiceServer(channel, mgmtv1.UnimplementedManagementServiceServer{})
	datastorev1.RegisterDatastoreServiceServer(channel, datastorev1.UnimplementedDatastoreServiceServer{})
	flavorv1.RegisterFlavorServiceServer(channel, flavorv1.UnimplementedFlavorServiceServer{})
	quotav1.RegisterQuotaServiceServer(channel, quotav1.UnimplementedQuotaServiceServer{})
	taskv1.RegisterTaskServiceServer(channel, taskv1.UnimplementedTaskServiceServer{})
	identityv1.RegisterAccessServiceServer(channel, identityv1.UnimplementedAccessServiceServer{})
	eventv1.RegisterEventServiceServer(channel, eventService{api: a})
}

// handler is the gateway over the fake api.
func handler(t testing.TB, a *api, change ...func(*gateway.Config)) http.Handler {
	t.Helper()
	config := gateway.Config{PublicURL: "https://db.example.org", IdentityURL: "https://db.example.org/identity"}
	for _, apply := range change {
		apply(&config)
	}
	made, err := gateway.New(config, a.channel(), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return made
}

// request makes a request of a caller with a good token; a body is JSON.
func request(method, path, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("X-Auth-Token", goodToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// inProject is a path of the project.
func inProject(path string) string { return "/v1.0/" + project + path }

// play sends a request through the handler.
func play(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
