package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/natstest"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

const publicURL = "http://127.0.0.1:8779"

// world is an api with everything real around it but the taskmanager, whose part the test plays.
type world struct {
	t         *testing.T
	dir       string
	api       *api.API
	nats      *nats.Conn
	public    *grpckit.Channel
	internal  *grpckit.Channel
	passwords map[string]string
	log       *lockedBuffer

	mu     sync.Mutex
	tokens map[string]login
}

type login struct{ token, project string }

type option func(*api.Config)

// bootstrappedUsers is a users file and its passwords, made once: hashing passwords is slow on purpose.
type bootstrappedUsers struct {
	users     []byte
	passwords map[string]string
}

var bootstrap = sync.OnceValues(func() (made bootstrappedUsers, err error) {
	dir, err := os.MkdirTemp("", "coffer-api-test")
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "users.yaml")
	err = api.BootstrapUsers(path, func(passwords map[string]string) error {
		made.passwords = passwords
		return nil
	})
	if err != nil {
		return made, err
	}
	made.users, err = os.ReadFile(path)
	return made, err
})

// newWorld has an api that runs, its services on channels.
func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	w := newQuietWorld(t, options...)
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.api.Run(running) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return w
}

// newQuietWorld has an api that does not run yet.
func newQuietWorld(t *testing.T, options ...option) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), tokens: map[string]login{}, log: &lockedBuffer{}}
	config := api.DefaultConfig()
	config.PublicURL = publicURL
	config.State = api.StateConfig{Driver: "sqlite", DSN: filepath.Join(w.dir, "state.db")}
	config.MasterKeyFile = filepath.Join(w.dir, "master.key")
	config.CADir = filepath.Join(w.dir, "ca")
	config.Identity.Builtin.UsersFile = filepath.Join(w.dir, "users.yaml")
	for _, option := range options {
		option(&config)
	}
	made, err := bootstrap()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config.Identity.Builtin.UsersFile, made.users, 0o600))
	w.passwords = made.passwords
	ctx := t.Context()
	require.NoError(t, api.Migrate(ctx, config))
	conn, js := natstest.JetStream(t)
	w.nats = conn
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.api, err = api.New(ctx, config, api.Deps{NATS: conn, Logger: logger})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.api.Close()) })
	w.public = grpckit.NewChannel(w.api.PublicInterceptors())
	w.api.PublicServices(w.public)
	w.internal = grpckit.NewChannel(w.api.InternalInterceptors())
	w.api.InternalServices(w.internal)
	require.NoError(t, bus.Setup(ctx, js))
	return w
}

// offering registers a provider with few gifts, like the local one, unless it is changed.
func (w *world) offering(changes ...func(*journalv1.RegisterProviderRequest)) *world {
	offered := provider()
	for _, change := range changes {
		change(offered)
	}
	_, err := w.catalogs().RegisterProvider(w.t.Context(), offered)
	require.NoError(w.t, err)
	return w
}

func provider() *journalv1.RegisterProviderRequest {
	return &journalv1.RegisterProviderRequest{
		Provider: "local", Region: "RegionOne", DefaultDatastore: "mariadb",
		DatastoreVersions: []*journalv1.CatalogDatastoreVersion{
			{Manager: "mariadb", Name: "10.6", Version: "10.6.20"},
			{Manager: "mariadb", Name: "10.11", Version: "10.11.19"},
			{Manager: "postgresql", Name: "15", Version: "15.9"},
		},
		Flavors: []*journalv1.CatalogFlavor{
			{Id: "1", Name: "db.tiny", Ram: 512, Vcpus: 1},
			{Id: "2", Name: "db.small", Ram: 1024, Vcpus: 1},
			{Id: "m1", Name: "m1.named", Ram: 2048, Vcpus: 2},
		},
		VolumeTypes:       []*journalv1.CatalogVolumeType{{Id: "8b9c7f0e-0000-4000-8000-000000000001", Name: "local"}},
		Networks:          []*journalv1.CatalogNetwork{{Id: networkID, SubnetIds: []string{subnetID}}},
		AvailabilityZones: []string{"nova"},
		Capabilities:      &journalv1.ProviderCapabilities{},
	}
}

const (
	networkID = "5d0a0f5e-0000-4000-8000-00000000000a"
	subnetID  = "5d0a0f5e-0000-4000-8000-00000000000b"
)

func (w *world) instances() instancev1.InstanceServiceClient {
	return instancev1.NewInstanceServiceClient(w.public)
}
func (w *world) tasks() taskv1.TaskServiceClient    { return taskv1.NewTaskServiceClient(w.public) }
func (w *world) events() eventv1.EventServiceClient { return eventv1.NewEventServiceClient(w.public) }

func (w *world) management() mgmtv1.ManagementServiceClient {
	return mgmtv1.NewManagementServiceClient(w.public)
}
func (w *world) ddm() ddmv1.DDMServiceClient { return ddmv1.NewDDMServiceClient(w.public) }
func (w *world) dms() dmsv1.DMSServiceClient { return dmsv1.NewDMSServiceClient(w.public) }

func (w *world) journal() journalv1.JournalServiceClient {
	return journalv1.NewJournalServiceClient(w.internal)
}

func (w *world) guests() journalv1.GuestServiceClient {
	return journalv1.NewGuestServiceClient(w.internal)
}

func (w *world) catalogs() journalv1.CatalogServiceClient {
	return journalv1.NewCatalogServiceClient(w.internal)
}

func (w *world) signing() journalv1.SigningServiceClient {
	return journalv1.NewSigningServiceClient(w.internal)
}

// as is the context of a call by a user: demo, reader, or admin of the project admin.
func (w *world) as(user string, pairs ...string) context.Context {
	w.t.Helper()
	ctx := metadata.AppendToOutgoingContext(w.t.Context(), "x-auth-token", w.login(user).token)
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// project is the id of the user's project.
func (w *world) project(user string) string { return w.login(user).project }

func (w *world) login(user string) login {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if known, ok := w.tokens[user]; ok {
		return known
	}
	project := "demo"
	if user == "admin" {
		project = "admin"
	}
	body := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},`+
		`"password":%q}}},"scope":{"project":{"name":%q,"domain":{"id":"default"}}}}}`, user, w.passwords[user], project)
	request := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/v3/auth/tokens", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	w.api.IdentityHandler().ServeHTTP(answer, request)
	require.Equal(w.t, http.StatusCreated, answer.Code, answer.Body.String())
	var shown struct {
		Token struct {
			Project struct{ ID string }
		}
	}
	require.NoError(w.t, json.Unmarshal(answer.Body.Bytes(), &shown))
	w.tokens[user] = login{token: answer.Header().Get("X-Subject-Token"), project: shown.Token.Project.ID}
	return w.tokens[user]
}

// order is the least that a create call needs.
func order(name string) *instancev1.NewInstance {
	return &instancev1.NewInstance{
		Name: &name, FlavorRef: structpb.NewStringValue("1"),
		Volume: &instancev1.NewVolume{Size: structpb.NewNumberValue(1)},
	}
}

func (w *world) create(user string, body *instancev1.NewInstance) *instancev1.CreateInstanceResponse {
	w.t.Helper()
	created, err := w.instances().CreateInstance(w.as(user),
		&instancev1.CreateInstanceRequest{ProjectId: w.project(user), Instance: body})
	require.NoError(w.t, err)
	return created
}

// active is an instance that a taskmanager has built.
func (w *world) active(user, name string) *instancev1.Instance {
	w.t.Helper()
	return w.activate(user, order(name))
}

func (w *world) activate(user string, body *instancev1.NewInstance) *instancev1.Instance {
	w.t.Helper()
	created := w.create(user, body)
	w.complete(created.GetTask().GetId(), &journalv1.FinishTaskRequest{Instance: built()})
	return w.get(user, created.GetInstance().GetId())
}

// complete works a task to its end, as succeeded and with no task status left unless the request says otherwise.
func (w *world) complete(taskID string, request *journalv1.FinishTaskRequest) *journalv1.ClaimTaskResponse {
	w.t.Helper()
	if request.GetTaskStatus() == "" {
		request.TaskStatus = "NONE"
	}
	claimed := w.claim(taskID)
	w.finish(claimed.GetRun(), request)
	return claimed
}

func built() *journalv1.InstancePatch {
	active, address := "ACTIVE", "127.1.0.1:8781"
	return &journalv1.InstancePatch{
		ServerStatus: &active, GuestAddress: &address,
		Addresses: &journalv1.InstanceAddresses{Addresses: []*journalv1.InstanceAddress{
			{Address: "127.1.0.1", Type: "private", NetworkId: networkID},
		}},
		GuestStatus: healthy(1),
	}
}

func healthy(sequence uint64) *journalv1.GuestStatus {
	return &journalv1.GuestStatus{
		AgentLife: "first", AgentLifeBegan: 1, Sequence: sequence, ServiceStatus: "HEALTHY",
		Volume: &journalv1.VolumeUse{UsedBytes: 1 << 28, TotalBytes: 1 << 30},
	}
}

func (w *world) get(user, id string) *instancev1.Instance {
	w.t.Helper()
	shown, err := w.instances().GetInstance(w.as(user),
		&instancev1.GetInstanceRequest{ProjectId: w.project(user), InstanceId: id})
	require.NoError(w.t, err)
	return shown.GetInstance()
}

func (w *world) claim(taskID string) *journalv1.ClaimTaskResponse {
	w.t.Helper()
	claimed, err := w.journal().ClaimTask(w.t.Context(), &journalv1.ClaimTaskRequest{TaskId: taskID, Worker: "tm"})
	require.NoError(w.t, err)
	require.Equal(w.t, journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED, claimed.GetOutcome())
	return claimed
}

// finish ends a run as succeeded unless the request says otherwise.
func (w *world) finish(run *journalv1.Run, request *journalv1.FinishTaskRequest) {
	w.t.Helper()
	request.Run = run
	if request.GetOutcome() == journalv1.TaskOutcome_TASK_OUTCOME_UNSPECIFIED {
		request.Outcome = journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED
	}
	_, err := w.journal().FinishTask(w.t.Context(), request)
	require.NoError(w.t, err)
}

// files are the contents of all files of the data folder.
func (w *world) files() map[string]string {
	w.t.Helper()
	contents := map[string]string{}
	require.NoError(w.t, filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		contents[path] = string(content)
		return err
	}))
	return contents
}

// patience bounds waits for what comes in its own time; nothing depends on how long it is.
const patience = 20 * time.Second

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
