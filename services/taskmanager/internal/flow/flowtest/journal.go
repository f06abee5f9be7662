package flowtest

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// Lease is the lease of every claim.
const Lease = 15 * time.Second

var errSuperseded = errs.New(errs.Conflict, "RUN_SUPERSEDED", "Another run of this task has taken over.")

// Journal keeps one task.
type Journal struct {
	mu       sync.Mutex
	command  *commandv1.Command
	instance *journalv1.Instance
	members  []*journalv1.Instance
	notes    map[string]string
	secrets  map[string]string
	steps    []*journalv1.StepRecord
	failure  *taskv1.TaskError
	stop     journalv1.StopMode
	epoch    int64
	elapsed  time.Duration
	end      *journalv1.FinishTaskRequest
	renewals int

	// writes are the writes that were asked for, in the form "step=STATUS,…".
	writes []string
	// dieAt is the number of the write, from 1, at which the run dies; 0 for never.
	dieAt    int
	dieAfter bool
	// away is what every call answers while it is set.
	away error
	// onWrite is told of each write that was done.
	onWrite func(write string)
}

// New makes the journal of a task that nobody has claimed; members are the other instances that it holds.
func New(command *commandv1.Command, instance *journalv1.Instance, members ...*journalv1.Instance) *Journal {
	return &Journal{
		command: command, instance: instance, members: members,
		notes: map[string]string{}, secrets: map[string]string{}, onWrite: func(string) {},
	}
}

// Claim takes the task over from whoever has it, and records the plan if nobody has had it.
func (j *Journal) Claim(plan []*journalv1.StepRecord) *journalv1.ClaimTaskResponse {
	claim := j.claim(plan)
	j.onWrite("claim")
	return claim
}

func (j *Journal) claim(plan []*journalv1.StepRecord) *journalv1.ClaimTaskResponse {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.end != nil {
		return &journalv1.ClaimTaskResponse{Outcome: journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE}
	}
	j.epoch++
	claim := &journalv1.ClaimTaskResponse{
		Outcome: journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED,
		Run:     &journalv1.Run{TaskId: j.command.GetTaskId(), Epoch: j.epoch},
		Command: proto.CloneOf(j.command), Instance: proto.CloneOf(j.instance), Failure: proto.CloneOf(j.failure), Stop: j.stop,
		LeaseMilliseconds: Lease.Milliseconds(), ElapsedMilliseconds: j.elapsed.Milliseconds(),
	}
	for _, step := range j.steps {
		claim.Steps = append(claim.Steps, proto.CloneOf(step))
	}
	if len(j.steps) == 0 && j.stop == journalv1.StopMode_STOP_MODE_UNSPECIFIED {
		for _, step := range plan {
			j.steps = append(j.steps, proto.CloneOf(step))
		}
	}
	for _, member := range j.members {
		claim.Members = append(claim.Members, proto.CloneOf(member))
	}
	claim.Notes = maps.Clone(j.notes)
	return claim
}

// Run claims the task and runs it once, as a taskmanager does.
func (j *Journal) Run(ctx context.Context, engine *flow.Engine) error {
	return engine.Run(ctx, j.Claim(engine.Plan(j.command)), time.Now())
}

// DieAt lets the run die at the n-th write from now, counted from 1, before or after it is done.
func (j *Journal) DieAt(n int, after bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dieAt, j.dieAfter = len(j.writes)+n, after
}

// Away makes every call answer with the error; nil brings the journal back.
func (j *Journal) Away(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.away = err
}

// Stop asks the task to stop.
func (j *Journal) Stop(mode journalv1.StopMode) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stop = mode
}

// Elapsed says how long ago the first claim was.
func (j *Journal) Elapsed(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.elapsed = d
}

// Secret plants a secret.
func (j *Journal) Secret(name, value string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.secrets[name] = value
}

// OnWrite is called after each write, and each "claim", outside of the journal's lock.
func (j *Journal) OnWrite(tell func(write string)) { j.onWrite = tell }

// Supersede lets another run take over.
func (j *Journal) Supersede() { j.claim(nil) }

// End is the recorded end; nil before.
func (j *Journal) End() *journalv1.FinishTaskRequest {
	j.mu.Lock()
	defer j.mu.Unlock()
	return proto.CloneOf(j.end)
}

// Instance is the instance as recorded.
func (j *Journal) Instance() *journalv1.Instance {
	j.mu.Lock()
	defer j.mu.Unlock()
	return proto.CloneOf(j.instance)
}

// Member is a member as recorded; nil when the task holds no such.
func (j *Journal) Member(id string) *journalv1.Instance {
	j.mu.Lock()
	defer j.mu.Unlock()
	return proto.CloneOf(j.member(id))
}

func (j *Journal) member(id string) *journalv1.Instance {
	for _, member := range j.members {
		if member.GetId() == id {
			return member
		}
	}
	return nil
}

// Notes are what was noted.
func (j *Journal) Notes() map[string]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.notes)
}

// Secrets are those that are left.
func (j *Journal) Secrets() map[string]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.secrets
}

// Writes are the writes so far.
func (j *Journal) Writes() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string{}, j.writes...)
}

// Renewals is how often the lease was renewed.
func (j *Journal) Renewals() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.renewals
}

// Steps are the records in short: "name=STATUS".
func (j *Journal) Steps() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return short(j.steps)
}

// Step is one record.
func (j *Journal) Step(name string) *journalv1.StepRecord {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, step := range j.steps {
		if step.GetName() == name {
			return proto.CloneOf(step)
		}
	}
	return nil
}

func short(steps []*journalv1.StepRecord) []string {
	list := make([]string, 0, len(steps))
	for _, step := range steps {
		list = append(list, step.GetName()+"="+strings.TrimPrefix(step.GetStatus().String(), "STEP_STATUS_"))
	}
	return list
}

// check is what the api checks of each call.
func (j *Journal) check(run *journalv1.Run) error {
	if j.away != nil {
		return j.away
	}
	if j.end != nil || run.GetEpoch() != j.epoch {
		return errSuperseded
	}
	return nil
}

// write does one write, unless the run dies of it. Death looks like being superseded to the run: it stops at once.
func (j *Journal) write(run *journalv1.Run, name string, do func()) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.check(run); err != nil {
		return err
	}
	j.writes = append(j.writes, name)
	dies := len(j.writes) == j.dieAt
	if !dies || j.dieAfter {
		do()
	}
	if dies {
		j.epoch++
		return errSuperseded
	}
	return nil
}

// RecordSteps writes steps over those of the same name.
func (j *Journal) RecordSteps(
	_ context.Context, r *journalv1.RecordStepsRequest, _ ...grpc.CallOption,
) (*journalv1.RecordStepsResponse, error) {
	name := strings.Join(short(r.GetSteps()), ",")
	err := j.write(r.GetRun(), name, func() { j.record(r) })
	if err != nil {
		return nil, err
	}
	j.onWrite(name)
	j.mu.Lock()
	defer j.mu.Unlock()
	return &journalv1.RecordStepsResponse{Stop: j.stop}, nil
}

func (j *Journal) record(r *journalv1.RecordStepsRequest) {
	for _, step := range r.GetSteps() {
		j.recordStep(proto.CloneOf(step))
	}
	j.patch(r.GetInstance(), r.GetMembers())
	maps.Copy(j.notes, r.GetNotes())
	if r.GetFailure() != nil {
		j.failure = proto.CloneOf(r.GetFailure())
	}
	if r.GetDropSecrets() {
		j.secrets = map[string]string{}
	}
}

func (j *Journal) recordStep(step *journalv1.StepRecord) {
	for i, known := range j.steps {
		if known.GetName() == step.GetName() {
			j.steps[i] = step
			return
		}
	}
	j.steps = append(j.steps, step)
}

// patch changes what is recorded, unless it names a member that the task does not hold.
func (j *Journal) patch(instance *journalv1.InstancePatch, members map[string]*journalv1.InstancePatch) {
	flow.Apply(j.instance, instance)
	for id, patch := range members {
		if member := j.member(id); member != nil {
			flow.Apply(member, patch)
		}
	}
}

// FinishTask records the end.
func (j *Journal) FinishTask(
	_ context.Context, r *journalv1.FinishTaskRequest, _ ...grpc.CallOption,
) (*journalv1.FinishTaskResponse, error) {
	ends := append(short(r.GetLast().GetSteps()), "finish="+strings.TrimPrefix(r.GetOutcome().String(), "TASK_OUTCOME_"))
	name := strings.Join(ends, ",")
	stop := journalv1.StopMode_STOP_MODE_UNSPECIFIED
	err := j.write(r.GetRun(), name, func() {
		j.record(r.GetLast())
		if r.GetLast() != nil && j.stop != journalv1.StopMode_STOP_MODE_UNSPECIFIED {
			stop = j.stop
			return
		}
		j.end = proto.CloneOf(r)
		ends := map[string]*journalv1.InstancePatch{}
		for id, end := range r.GetMembers() {
			ends[id] = end.GetInstance()
		}
		j.patch(r.GetInstance(), ends)
		j.secrets = map[string]string{}
	})
	if err != nil {
		return nil, err
	}
	j.onWrite(name)
	return &journalv1.FinishTaskResponse{Stop: stop}, nil
}

// RenewLease answers with the stop that was asked for.
func (j *Journal) RenewLease(
	_ context.Context, r *journalv1.RenewLeaseRequest, _ ...grpc.CallOption,
) (*journalv1.RenewLeaseResponse, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.check(r.GetRun()); err != nil {
		return nil, err
	}
	j.renewals++
	return &journalv1.RenewLeaseResponse{Stop: j.stop}, nil
}

// GetSecrets answers with the secrets that are left.
func (j *Journal) GetSecrets(
	_ context.Context, r *journalv1.GetSecretsRequest, _ ...grpc.CallOption,
) (*journalv1.GetSecretsResponse, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.check(r.GetRun()); err != nil {
		return nil, err
	}
	return &journalv1.GetSecretsResponse{UserPasswords: j.secrets}, nil
}
