package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// defaultGrace is how long a shutdown waits for a step's border.
const defaultGrace = 10 * time.Second

// Engine runs claimed tasks.
type Engine struct {
	journal   Journal
	workflows map[action.Name]*Workflow
	observer  *Observer
	logger    *slog.Logger
	grace     time.Duration
}

// EngineOption is an optional part of an engine.
type EngineOption func(*Engine)

// WithObserver measures and traces runs.
func WithObserver(observer *Observer) EngineOption { return func(e *Engine) { e.observer = observer } }

// WithLogger logs runs and their failures; the default is silent.
func WithLogger(logger *slog.Logger) EngineOption { return func(e *Engine) { e.logger = logger } }

// WithGrace is how long a shutdown waits for a step to come to its border, by default ten seconds.
func WithGrace(grace time.Duration) EngineOption { return func(e *Engine) { e.grace = grace } }

// NewEngine makes an engine for workflows.
func NewEngine(journal Journal, workflows []*Workflow, options ...EngineOption) *Engine {
	e := &Engine{
		journal: journal, workflows: make(map[action.Name]*Workflow, len(workflows)),
		observer: NewObserver(nil, nil), logger: slog.New(slog.DiscardHandler), grace: defaultGrace,
	}
	for _, w := range workflows {
		e.workflows[w.action.Name] = w
	}
	for _, option := range options {
		option(e)
	}
	return e
}

// Plan is what a claim of the command's task records, so that a user sees what is to come: the steps, of which the first
// one runs. It is empty for an action that is not known here.
func (e *Engine) Plan(command *commandv1.Command) []*journalv1.StepRecord {
	workflow, known := e.workflows[action.Of(command)]
	if !known {
		return nil
	}
	return workflow.plan()
}

// Run brings a claimed task to its end, or as far as this run may. It answers nil when the end is recorded, whatever
// it is, and otherwise one of ErrSuperseded, ErrLeaseLost, ErrInterrupted, ErrRefused. Cancelling ctx asks it to stop
// at the next step border. claimed is when the claim was sent, by which the lease is reckoned.
func (e *Engine) Run(ctx context.Context, claim *journalv1.ClaimTaskResponse, claimed time.Time) error {
	name := action.Of(claim.GetCommand())
	logger := e.logger.With(
		"action", name, "task_id", claim.GetRun().GetTaskId(), "instance_id", claim.GetInstance().GetId(),
		"request_id", claim.GetCommand().GetRequestId(), "epoch", claim.GetRun().GetEpoch(),
	)
	// The run's own context outlives the shutdown by the grace.
	life := newWriter(context.WithoutCancel(ctx), e.journal, claim, string(name), logger)
	stopGrace := context.AfterFunc(ctx, func() { //nolint:contextcheck // the grace is for what outlives ctx
		if pause(e.grace, life.life) == nil {
			life.end(ErrInterrupted)
		}
	})
	workflow, known := e.workflows[name]
	if !known {
		workflow = unknownAction(name)
	}
	x := newExecution(workflow, claim, claimed, life, logger, e.observer)
	x.shutdown = ctx
	x.run.journal = e.journal

	kept := make(chan struct{})
	go func() {
		defer close(kept)
		life.keep(life.life, claimed, x.note)
	}()
	//nolint:contextcheck // derived from ctx, and outlives it by the grace
	err := e.observer.observeRun(life.life, x, func(ctx context.Context) error { return x.execute(ctx, known) })
	stopGrace()
	life.end(errRunEnded)
	<-kept
	return err
}

var errRunEnded = errors.New("flow: the run has ended")

// unknownAction settles a task that a newer api accepted for a newer taskmanager.
func unknownAction(name action.Name) *Workflow {
	return &Workflow{
		action: action.Action{Name: name, Timeout: time.Minute},
		settle: func(_ *Run, end End) Settlement {
			return Settlement{
				TaskStatus: status.TaskNone,
				Fault:      &journalv1.Fault{Message: Sentence(end.Failure, "upgrade the taskmanagers")},
			}
		},
	}
}

// execution is the state of one run.
type execution struct {
	workflow *Workflow
	run      *Run
	claim    *journalv1.ClaimTaskResponse
	claimed  time.Time
	writer   *writer
	logger   *slog.Logger
	observer *Observer
	shutdown context.Context //nolint:containedctx // the signal to stop at a border; never passed to a call

	// records are in the order of the workflow's steps; they change under writer.writing.
	records []*journalv1.StepRecord
	// resumed says that the first step to run may have begun in a former run.
	resumed bool
	failure *taskv1.TaskError
	// leftovers are the steps whose undo failed.
	leftovers []string
	// running is the index of the step at work, whose notes are recorded; -1 between steps.
	running int
	noted   string
}

func newExecution(
	workflow *Workflow, claim *journalv1.ClaimTaskResponse, claimed time.Time, w *writer, logger *slog.Logger, observer *Observer,
) *execution {
	x := &execution{
		workflow: workflow, claim: claim, claimed: claimed, writer: w, logger: logger, observer: observer,
		failure: proto.CloneOf(claim.GetFailure()), running: -1,
		resumed: len(claim.GetSteps()) > 0,
		run: &Run{
			Command: claim.GetCommand(), Instance: proto.CloneOf(claim.GetInstance()), id: claim.GetRun(),
			Members: make(map[string]*journalv1.Instance, len(claim.GetMembers())), notes: make(map[string]string, len(claim.GetNotes())),
		},
	}
	for _, member := range claim.GetMembers() {
		x.run.Members[member.GetId()] = proto.CloneOf(member)
	}
	maps.Copy(x.run.notes, claim.GetNotes())
	x.run.goPast = x.goPast
	if x.run.Instance == nil {
		x.run.Instance = &journalv1.Instance{}
	}
	former := make(map[string]*journalv1.StepRecord, len(claim.GetSteps()))
	for _, record := range claim.GetSteps() {
		former[record.GetName()] = record
	}
	for _, s := range workflow.steps {
		record := s.record()
		if known, found := former[s.name]; found {
			record.Status, record.Attempt, record.Message = known.GetStatus(), known.GetAttempt(), known.GetMessage()
		}
		x.records = append(x.records, record)
		delete(former, s.name)
	}
	for gone := range former {
		logger.Warn("a recorded step is no longer part of the workflow; passing it", "step", gone)
	}
	x.run.past.Store(x.wasPast())
	return x
}

// execute goes on from where the records end.
func (x *execution) execute(ctx context.Context, known bool) error {
	if !known && x.failure == nil {
		x.failure = &taskv1.TaskError{Code: CodeUnknownAction, Message: fmt.Sprintf("action %q is not known here", x.workflow.action.Name)}
		return x.finish(ctx, journalv1.TaskOutcome_TASK_OUTCOME_FAILED)
	}
	if x.failure != nil {
		return x.undo(ctx)
	}
	return x.forward(ctx)
}

// note is the record of the running step when it has said something new.
func (x *execution) note() *journalv1.RecordStepsRequest {
	said := x.run.saying()
	if x.running < 0 || said == x.noted {
		return nil
	}
	x.noted = said
	record := x.records[x.running]
	record.Message = said
	return &journalv1.RecordStepsRequest{
		Steps: []*journalv1.StepRecord{proto.CloneOf(record)}, Progress: x.progress(),
	}
}

// progress is the share of the steps that have succeeded, in percent.
func (x *execution) progress() int32 {
	if len(x.records) == 0 {
		return 0
	}
	succeeded := 0
	for _, record := range x.records {
		if record.GetStatus() == journalv1.StepStatus_STEP_STATUS_SUCCEEDED {
			succeeded++
		}
	}
	return int32(succeeded * 100 / len(x.records)) //nolint:gosec // at most 100
}
