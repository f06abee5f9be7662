package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ddmServer answers DDM's calls, which have names that Trove's have too.
type ddmServer struct {
	ddmv1.UnimplementedDDMServiceServer
	*Server
}

const (
	// jobTime is how DDM writes a time.
	jobTime = "2006-01-02T15:04:05-0700"
	// jobsSpan is how far apart the bounds of a list of jobs may lie.
	jobsSpan = 30 * 24 * time.Hour
	// usualJobs and mostJobs are how many jobs a list has when the caller does not say, and at most.
	usualJobs = 10
	mostJobs  = 128
)

// RestartInstance restarts the database ("soft") or its whole server ("hard"), and answers with the job.
func (d ddmServer) RestartInstance(
	ctx context.Context, request *ddmv1.RestartInstanceRequest,
) (*ddmv1.RestartInstanceResponse, error) {
	hard, err := restartType(request)
	if err != nil {
		return nil, err
	}
	wanted := change{
		instanceID: request.GetInstanceId(), request: request,
		// A call that is repeated with its request id is the same call. Clients may name others with the same id.
		key: fmt.Sprintf("ddm %s %s hard=%t", call.RequestID(ctx), request.GetInstanceId(), hard),
		command: &commandv1.Command{
			Action: &commandv1.Command_RestartInstance{RestartInstance: &commandv1.RestartInstance{}},
		},
	}
	if hard {
		idle := action.AdmitIdle
		wanted.rule, wanted.admission = "instance:restart_hard", &idle
		wanted.command.Action = &commandv1.Command_RebootInstance{RebootInstance: &commandv1.RebootInstance{Hard: true}}
	}
	accepted, err := d.accept(ctx, wanted)
	if err != nil {
		return nil, err
	}
	task, plan, err := d.told(ctx, accepted)
	if err != nil || plan != nil {
		return &ddmv1.RestartInstanceResponse{Plan: plan}, err
	}
	return &ddmv1.RestartInstanceResponse{
		InstanceId: accepted.Instance.ID, InstanceName: accepted.Instance.Name, JobId: task.GetId(), Task: task,
	}, nil
}

// restartType reads {"type": "soft"|"hard"}; nothing said is soft.
func restartType(request *ddmv1.RestartInstanceRequest) (hard bool, err error) {
	refused := errs.New(errs.Invalid, "PARAMETER", `Parameter error: restart must be an object whose type is "soft" or "hard".`)
	if newinstance.Absent(request.GetRestart()) {
		return false, nil
	}
	object := request.GetRestart().GetStructValue()
	if object == nil {
		return false, refused
	}
	for name := range object.GetFields() {
		if name != "type" {
			return false, refused
		}
	}
	kind := object.GetFields()["type"]
	switch {
	case newinstance.Absent(kind), kind.GetStringValue() == "soft":
		return false, nil
	case kind.GetStringValue() == "hard":
		return true, nil
	}
	return false, refused
}

// GetJob shows a task as DDM shows a job.
func (d ddmServer) GetJob(ctx context.Context, request *ddmv1.GetJobRequest) (*ddmv1.GetJobResponse, error) {
	caller, err := d.authorise(ctx, "task:show")
	if err != nil {
		return nil, err
	}
	noJob := errs.New(errs.NotFound, "JOB_NOT_FOUND", "Task not found.")
	if validID(request.GetJobId()) != nil {
		return nil, noJob
	}
	task, err := d.Store.Task(ctx, scope(caller), request.GetJobId())
	if errs.IsKind(err, errs.NotFound) {
		return nil, noJob
	}
	if err != nil {
		return nil, err
	}
	job := jobOf(task)
	job.Instance = &ddmv1.JobInstance{Id: task.InstanceID, Name: task.InstanceName}
	return &ddmv1.GetJobResponse{Job: job}, nil
}

// ListJobs lists the jobs of the caller's project that began between two times, newest first.
func (d ddmServer) ListJobs(ctx context.Context, request *ddmv1.ListJobsRequest) (*ddmv1.ListJobsResponse, error) {
	caller, err := d.authorise(ctx, "task:index")
	if err != nil {
		return nil, err
	}
	filter, page, err := jobsAsked(request)
	if err != nil {
		return nil, err
	}
	filter.ProjectID = caller.ProjectID
	response := &ddmv1.ListJobsResponse{Offset: int32(page.Offset), Limit: int32(page.Limit)} //nolint:gosec // checked
	if len(filter.Actions) == 0 && request.GetName() != "" {
		return response, nil
	}
	tasks, _, err := d.Store.ListTasks(ctx, filter, page)
	if err != nil {
		return nil, err
	}
	total, err := d.Store.CountTasks(ctx, filter)
	if err != nil {
		return nil, err
	}
	response.Total = int32(total) //nolint:gosec // of one project, in 30 days
	for _, task := range tasks {
		job := jobOf(task)
		job.InstanceId, job.InstanceName = &task.InstanceID, &task.InstanceName
		response.Jobs = append(response.Jobs, job)
	}
	return response, nil
}

// jobStates are the states of tasks by the status of jobs.
var jobStates = map[string][]store.TaskState{
	"Running":   {store.TaskQueued, store.TaskRunning},
	"Completed": {store.TaskSucceeded},
	"Failed":    {store.TaskFailed, store.TaskCancelled},
}

func jobsAsked(request *ddmv1.ListJobsRequest) (store.TaskFilter, store.Page, error) {
	refuse := func(format string, args ...any) (store.TaskFilter, store.Page, error) {
		return store.TaskFilter{}, store.Page{}, errs.New(errs.Invalid, "PARAMETER", "Parameter error: "+format, args...)
	}
	from, fromErr := strconv.ParseInt(request.GetStartTime(), 10, 64)
	until, untilErr := strconv.ParseInt(request.GetEndTime(), 10, 64)
	if fromErr != nil || untilErr != nil || from < 0 || until < from {
		return refuse("start_time and end_time must be milliseconds since 1970, the first not after the second.")
	}
	filter := store.TaskFilter{From: time.UnixMilli(from), Until: time.UnixMilli(until)}
	if filter.Until.Sub(filter.From) > jobsSpan {
		return refuse("start_time and end_time must be at most 30 days apart.")
	}
	page := store.Page{Limit: usualJobs}
	var err error
	if given := request.GetLimit(); given != "" {
		if page.Limit, err = strconv.Atoi(given); err != nil || page.Limit < 1 || page.Limit > mostJobs {
			return refuse("limit must be an integer from 1 to %d.", mostJobs)
		}
	}
	if given := request.GetOffset(); given != "" {
		if page.Offset, err = strconv.Atoi(given); err != nil || page.Offset < 0 || int(int32(page.Offset)) != page.Offset { //nolint:gosec // the check for overflow
			return refuse("offset must be an integer of at least 0.")
		}
	}
	if given := request.GetStatus(); given != "" {
		states, known := jobStates[given]
		if !known {
			return refuse("status must be Running, Completed or Failed.")
		}
		filter.States = states
	}
	for _, name := range action.Names() {
		if jobName(name) == request.GetName() {
			filter.Actions = append(filter.Actions, name)
		}
	}
	return filter, page, nil
}

func jobOf(task store.Task) *ddmv1.Job {
	job := &ddmv1.Job{Id: task.ID, Name: jobName(task.Action), CreatedTime: task.Created.UTC().Format(jobTime)}
	for status, states := range jobStates {
		if slices.Contains(states, task.State) {
			job.Status = status
		}
	}
	if task.Finished != nil {
		job.EndTime = task.Finished.UTC().Format(jobTime)
	}
	if !task.State.Ended() {
		job.Process = strconv.Itoa(task.Progress) + "%"
	}
	if task.Error != nil && task.State == store.TaskFailed {
		job.FailReason = &task.Error.Message
	}
	return job
}

// jobName is an action as DDM names jobs. To DDM the reboot of a server is a restart.
func jobName(name action.Name) string {
	if name == action.RebootInstance {
		name = action.RestartInstance
	}
	var b strings.Builder
	for word := range strings.SplitSeq(string(name), "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
