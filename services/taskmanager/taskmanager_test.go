package taskmanager

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/natstest"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step/steptest"
)

const (
	patience   = 30 * time.Second
	instanceID = "9a4e1a7c-54b5-4a58-b1e3-0e4c6f1b6f52"
)

// api is the internal face of an api with one task, behind a channel like the one of serve.
type api struct {
	journalv1.UnimplementedJournalServiceServer
	journalv1.UnimplementedGuestServiceServer
	journalv1.UnimplementedCatalogServiceServer
	journalv1.UnimplementedSigningServiceServer

	journal    *flowtest.Journal
	ca         *steptest.CA
	registered chan *journalv1.RegisterProviderRequest
	ended      chan struct{}
	reports    chan *journalv1.ReportGuestStatusRequest
	once       sync.Once
}

func (a *api) channel() *grpckit.Channel {
	channel := grpckit.NewChannel(nil, nil)
	journalv1.RegisterJournalServiceServer(channel, a)
	journalv1.RegisterGuestServiceServer(channel, a)
	journalv1.RegisterCatalogServiceServer(channel, a)
	journalv1.RegisterSigningServiceServer(channel, a)
	return channel
}

func (a *api) ClaimTask(_ context.Context, r *journalv1.ClaimTaskRequest) (*journalv1.ClaimTaskResponse, error) {
	return a.journal.Claim(r.GetPlan()), nil
}

func (a *api) RenewLease(ctx context.Context, r *journalv1.RenewLeaseRequest) (*journalv1.RenewLeaseResponse, error) {
	return a.journal.RenewLease(ctx, r)
}

func (a *api) RecordSteps(ctx context.Context, r *journalv1.RecordStepsRequest) (*journalv1.RecordStepsResponse, error) {
	return a.journal.RecordSteps(ctx, r)
}

func (a *api) FinishTask(ctx context.Context, r *journalv1.FinishTaskRequest) (*journalv1.FinishTaskResponse, error) {
	response, err := a.journal.FinishTask(ctx, r)
	a.once.Do(func() { close(a.ended) })
	return response, err
}

func (a *api) GetSecrets(ctx context.Context, r *journalv1.GetSecretsRequest) (*journalv1.GetSecretsResponse, error) {
	return a.journal.GetSecrets(ctx, r)
}

func (a *api) JoinMonitors(_ context.Context, r *journalv1.JoinMonitorsRequest) (*journalv1.JoinMonitorsResponse, error) {
	return &journalv1.JoinMonitorsResponse{Workers: []string{r.GetWorker()}}, nil
}

func (a *api) ListGuests(context.Context, *journalv1.ListGuestsRequest) (*journalv1.ListGuestsResponse, error) {
	instance := a.journal.Instance()
	if instance.GetGuestAddress() == "" {
		return &journalv1.ListGuestsResponse{}, nil
	}
	return &journalv1.ListGuestsResponse{Guests: []*journalv1.Guest{{
		InstanceId: instance.GetId(), GuestAddress: instance.GetGuestAddress(),
		CertificateExpires: time.Now().Add(24 * time.Hour).Unix(),
	}}}, nil
}

func (a *api) WatchGuests(_ *journalv1.WatchGuestsRequest, stream grpc.ServerStreamingServer[journalv1.WatchGuestsResponse]) error {
	select {
	case <-a.ended:
		if err := stream.Send(&journalv1.WatchGuestsResponse{}); err != nil {
			return err
		}
	case <-stream.Context().Done():
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (a *api) ReportGuestStatus(
	_ context.Context, r *journalv1.ReportGuestStatusRequest,
) (*journalv1.ReportGuestStatusResponse, error) {
	a.reports <- r
	return &journalv1.ReportGuestStatusResponse{}, nil
}

func (a *api) RegisterProvider(
	_ context.Context, r *journalv1.RegisterProviderRequest,
) (*journalv1.RegisterProviderResponse, error) {
	a.registered <- r
	return &journalv1.RegisterProviderResponse{}, nil
}

func (a *api) IssueBootstrap(
	ctx context.Context, r *journalv1.IssueBootstrapRequest,
) (*journalv1.IssueBootstrapResponse, error) {
	return a.ca.IssueBootstrap(ctx, r)
}

func (a *api) SignGuest(ctx context.Context, r *journalv1.SignGuestRequest) (*journalv1.SignGuestResponse, error) {
	return a.ca.SignGuest(ctx, r)
}

func (a *api) SignTaskmanager(
	ctx context.Context, r *journalv1.SignTaskmanagerRequest,
) (*journalv1.SignTaskmanagerResponse, error) {
	return a.ca.SignTaskmanager(ctx, r)
}

func TestATaskmanagerWorksWhatIsRungAndWatchesWhatItMade(t *testing.T) {
	conn, js := natstest.JetStream(t)
	cloud := steptest.New(t)
	a := &api{
		ca: steptest.NewCA(t), registered: make(chan *journalv1.RegisterProviderRequest, 1),
		ended: make(chan struct{}), reports: make(chan *journalv1.ReportGuestStatusRequest, 10),
	}
	command := &commandv1.Command{
		TaskId: "task", InstanceId: instanceID, Action: &commandv1.Command_CreateInstance{CreateInstance: &commandv1.CreateInstance{}},
	}
	a.journal = flowtest.New(command, &journalv1.Instance{Id: instanceID})
	config := DefaultConfig()
	config.Name = "tm"
	made, err := assemble(t.Context(), config, Deps{API: a.channel(), NATS: conn, Logger: slog.New(slog.DiscardHandler)}, cloud)
	require.NoError(t, err)
	require.Error(t, made.Health())
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- made.Run(ctx) }()

	await(t, made.Ready())
	require.NoError(t, made.Health())
	assert.Equal(t, "memory", (<-a.registered).GetProvider())
	row, _ := action.Lookup(action.CreateInstance)
	data, err := proto.Marshal(command)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), bus.CommandSubject(row), data)
	require.NoError(t, err)
	await(t, a.ended)

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, a.journal.End().GetOutcome(), a.journal.End())
	select {
	case report := <-a.reports:
		assert.Equal(t, "HEALTHY", report.GetStatus().GetServiceStatus())
		assert.Equal(t, "tm", report.GetWorker())
	case <-time.After(patience):
		t.Fatal("the monitor told nothing")
	}
	stop()
	select {
	case err := <-ran:
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

func await(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		t.Fatal("it did not happen")
	}
}

func TestAConfigurationSaysAllThatIsWrongWithIt(t *testing.T) {
	config := DefaultConfig()
	config.Name, config.Local.DataDir = "tm1", "/var/lib/coffer"
	require.NoError(t, config.Validate())

	config.Name, config.Provider, config.QuickTasks, config.SlowTasks = "tm 1", "aws", 0, -1

	err := config.Validate()
	for _, part := range []string{"name:", "provider:", "quick_tasks:", "slow_tasks:"} {
		assert.ErrorContains(t, err, part)
	}
}
