package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Open gives a test an empty store that takes its time from now; the test closes it.
type Open func(t *testing.T, now func() time.Time) store.Store

// Run runs the whole contract.
func Run(t *testing.T, open Open) {
	tests := map[string]map[string]func(*suite){
		"Accept": acceptTests, "Quota": quotaTests, "Idempotency": idempotencyTests, "Delete": deleteTests,
		"Claim": claimTests, "Journal": journalTests, "Cancel": cancelTests, "Ring": ringTests,
		"Set": setTests, "SetEnd": setEndTests, "QuotaOfChanges": quotaOfChangesTests, "Batch": batchTests,
		"DryRun": dryRunTests, "Rename": renameTests, "ResetStatus": resetTests,
		"Instances": instanceTests, "AllInstances": allInstancesTests, "Tasks": taskTests, "Guests": guestTests, "Catalog": catalogTests,
		"Tokens": tokenTests, "Outbox": outboxTests,
	}
	for role, cases := range tests {
		t.Run(role, func(t *testing.T) {
			for name, test := range cases {
				t.Run(name, func(t *testing.T) { test(newSuite(t, open)) })
			}
		})
	}
}

const (
	lease     = 15 * time.Second
	maxClaims = 5
	project   = "project"
)

// suite is one test's store, its clock, and the steps that tests share.
type suite struct {
	*testing.T
	store.Store
	clock *clock
	ctx   context.Context
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newSuite(t *testing.T, open Open) *suite {
	c := &clock{now: time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)}
	s := &suite{T: t, Store: open(t, c.Now), clock: c, ctx: t.Context()}
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func row(name action.Name) action.Action {
	a, known := action.Lookup(name)
	if !known {
		panic("unknown action " + name)
	}
	return a
}

// acceptance of an action on an existing instance.
func acceptance(name action.Name, instanceID string) store.Acceptance {
	command := &commandv1.Command{TaskId: uuid.NewString(), InstanceId: instanceID}
	message := command.ProtoReflect()
	field := message.Descriptor().Fields().ByName(protoreflect.Name(name))
	message.Set(field, message.NewField(field))
	return store.Acceptance{Action: row(name), InstanceID: instanceID, Command: command, RequestID: "req-1"}
}

// creation of a new instance of 512 MiB and 2 GiB.
func creation(projectID string) store.Acceptance {
	id := uuid.NewString()
	a := acceptance(action.CreateInstance, id)
	a.ProjectID = projectID
	a.New = &store.Instance{
		ID: id, ProjectID: projectID, Name: "db-" + id[:8], DatastoreVersionID: uuid.NewString(), FlavorID: "1",
		RAM: 512, VolumeSize: 2, VolumeType: "local", Region: "RegionOne", ServiceStatus: status.ServiceNew,
	}
	a.Quota = map[store.Resource]int{store.ResourceInstances: 1, store.ResourceRAM: 512, store.ResourceVolumes: 2}
	a.QuotaLimits = map[store.Resource]int{store.ResourceInstances: 10, store.ResourceRAM: -1, store.ResourceVolumes: 40}
	a.Secrets = []byte("sealed")
	return a
}

// ruleR admits when nothing else is being done, like the api does.
func ruleR(scene store.Scene) error {
	if ok, refused := status.CanPerformAction(scene.Instance.Inputs(scene.Instance.ServiceStatusUpdated)); !ok {
		return errRefused(refused)
	}
	return nil
}

type errRefused string

func (e errRefused) Error() string { return string(e) }

func (s *suite) accept(a store.Acceptance) store.Accepted {
	s.Helper()
	accepted, err := s.Accept(s.ctx, a)
	require.NoError(s, err)
	return accepted
}

func (s *suite) act(name action.Name, instanceID string) store.Task {
	s.Helper()
	return s.accept(acceptance(name, instanceID)).Task
}

func (s *suite) claim(taskID, worker string) store.Claim {
	s.Helper()
	claim, err := s.ClaimTask(s.ctx, bid(taskID, worker))
	require.NoError(s, err)
	return claim
}

func bid(taskID, worker string, plan ...store.Step) store.Bid {
	return store.Bid{TaskID: taskID, Worker: worker, Plan: plan, Lease: lease, MaxClaims: maxClaims}
}

// begin claims a task that must be free.
func (s *suite) begin(taskID string) store.Run {
	s.Helper()
	claim := s.claim(taskID, "worker")
	require.Equal(s, journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED, claim.Outcome)
	return store.Run{TaskID: taskID, Epoch: claim.Task.Epoch}
}

func (s *suite) finish(f store.Finish) {
	s.Helper()
	if f.TaskStatus == "" {
		f.TaskStatus = status.TaskNone
	}
	require.NoError(s, s.end(f))
}

func (s *suite) end(f store.Finish) error {
	_, err := s.FinishTask(s.ctx, f)
	return err
}

// running is an instance that was created and is healthy.
func (s *suite) running(projectID string) store.Instance {
	s.Helper()
	return s.built(s.accept(creation(projectID)))
}

// built is an instance whose accepted creation is worked.
func (s *suite) built(created store.Accepted) store.Instance {
	s.Helper()
	s.finish(store.Finish{
		Run: s.begin(created.Task.ID), State: store.TaskSucceeded, Patch: &journalv1.InstancePatch{
			ServerId: proto.String("server"), VolumeId: proto.String("volume"),
			GuestAddress: proto.String("127.1.2.3:8781"), ServerStatus: proto.String("ACTIVE"),
			GuestStatus: healthy(1, 1),
			Addresses: &journalv1.InstanceAddresses{Addresses: []*journalv1.InstanceAddress{
				{Address: "127.1.2.3", Type: "private", NetworkId: "net"},
			}},
		},
	})
	return s.instance(created.Instance.ID)
}

// replication is the creation of a replica.
func replication(source store.Instance) store.Acceptance {
	a := creation(source.ProjectID)
	a.Action, a.New.ReplicaOf = row(action.CreateReplica), source.ID
	a.Command = acceptance(action.CreateReplica, a.InstanceID).Command
	return a
}

// set is a source with replicas, in the order of their ids.
func (s *suite) set(replicas int) (source store.Instance, list []store.Instance) {
	s.Helper()
	source = s.running(project)
	for range replicas {
		list = append(list, s.built(s.accept(replication(source))))
	}
	slices.SortFunc(list, func(a, b store.Instance) int { return strings.Compare(a.ID, b.ID) })
	return source, list
}

func healthy(life int64, sequence uint64) *journalv1.GuestStatus {
	return report(life, sequence, "HEALTHY")
}

func report(life int64, sequence uint64, service string) *journalv1.GuestStatus {
	return &journalv1.GuestStatus{AgentLife: "life", AgentLifeBegan: life, Sequence: sequence, ServiceStatus: service}
}

func (s *suite) instance(id string) store.Instance {
	s.Helper()
	instance, err := s.Instance(s.ctx, "", id)
	require.NoError(s, err)
	return instance
}

func (s *suite) task(id string) store.Task {
	s.Helper()
	task, err := s.Task(s.ctx, "", id)
	require.NoError(s, err)
	return task
}

func (s *suite) quota(projectID string) map[store.Resource]int {
	s.Helper()
	used, err := s.QuotaInUse(s.ctx, projectID)
	require.NoError(s, err)
	return used
}

// told is what the outbox held since it was last looked at.
type told struct {
	// rings are the message ids of commands.
	rings     []string
	tasks     []string
	instances []*eventv1.InstanceEvent
	subjects  []string
}

// outbox reads and clears the outbox.
func (s *suite) outbox() told {
	s.Helper()
	messages, err := s.Pending(s.ctx, 10000)
	require.NoError(s, err)
	var out told
	var ids []int64
	for _, m := range messages {
		ids = append(ids, m.ID)
		out.subjects = append(out.subjects, m.Subject)
		if strings.HasPrefix(m.Subject, "coffer.command.") {
			out.rings = append(out.rings, m.MessageID)
			continue
		}
		event := &eventv1.Event{}
		require.NoError(s, proto.Unmarshal(m.Payload, event))
		require.NotEmpty(s, event.GetTime())
		if task := event.GetTask(); task != nil {
			out.tasks = append(out.tasks, task.GetAction()+" "+task.GetStatus())
		} else {
			out.instances = append(out.instances, event.GetInstance())
		}
	}
	require.NoError(s, s.Sent(s.ctx, ids))
	return out
}

func (o told) statuses() []string {
	var words []string
	for _, i := range o.instances {
		words = append(words, strings.TrimSpace(i.GetStatus()+" "+i.GetOperatingStatus()))
	}
	return words
}

// inParallel runs n calls at once and gives back their errors.
func inParallel(n int, call func(i int) error) []error {
	failures := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { failures[i] = call(i) })
	}
	all.Wait()
	return failures
}

func succeeded(failures []error) int {
	n := 0
	for _, err := range failures {
		if err == nil {
			n++
		}
	}
	return n
}
