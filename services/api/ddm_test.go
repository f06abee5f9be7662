package api_test

import (
	"cmp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

const requestIDHeader = "x-request-id"

func (w *world) restartDDM(id string, restart *structpb.Value, pairs ...string) (*ddmv1.RestartInstanceResponse, error) {
	return w.ddm().RestartInstance(w.as("demo", pairs...),
		&ddmv1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id, Restart: restart})
}

func (w *world) job(id string) (*ddmv1.Job, error) {
	shown, err := w.ddm().GetJob(w.as("reader"), &ddmv1.GetJobRequest{ProjectId: w.project("reader"), JobId: id})
	return shown.GetJob(), err
}

func TestARestartIsSoftUnlessItSaysHard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	for why, restart := range map[string]*structpb.Value{
		"missing": nil, "null": structpb.NewNullValue(), "empty": object(nil),
		"null type": object(map[string]any{"type": nil}), "soft": object(map[string]any{"type": "soft"}),
	} {
		id := w.old("demo", "calm")
		answer, err := w.restartDDM(id, restart)
		require.NoError(t, err, why)
		assert.Equal(t, id, answer.GetInstanceId())
		assert.Equal(t, "calm", answer.GetInstanceName())
		assert.Equal(t, answer.GetTask().GetId(), answer.GetJobId())
		assert.NotNil(t, w.claim(answer.GetJobId()).GetCommand().GetRestartInstance(), why)
	}
	id := w.old("demo", "wild")
	answer, err := w.restartDDM(id, object(map[string]any{"type": "hard"}))
	require.NoError(t, err)
	assert.True(t, w.claim(answer.GetJobId()).GetCommand().GetRebootInstance().GetHard())
	reboot := w.mustDo("reboot", id)
	w.complete(answer.GetJobId(), &journalv1.FinishTaskRequest{})
	assert.False(t, w.claim(reboot.GetId()).GetCommand().GetRebootInstance().GetHard(), "Trove's is a soft one")
}

func TestRestartsOfNoKindAreRefused(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	id := w.old("demo", "calm")
	before := w.state()
	for why, restart := range map[string]*structpb.Value{
		"text": structpb.NewStringValue("soft"), "list": structpb.NewListValue(&structpb.ListValue{}), "flag": structpb.NewBoolValue(true),
		"case": object(map[string]any{"type": "Hard"}), "word": object(map[string]any{"type": "firm"}),
		"number": object(map[string]any{"type": 1}), "empty": object(map[string]any{"type": ""}),
		"another key": object(map[string]any{"kind": "hard"}), "one more": object(map[string]any{"type": "soft", "delay": true}),
	} {
		_, err := w.restartDDM(id, restart)
		require.ErrorContains(t, err, "Parameter error: restart must be an object", why)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	}
	_, err := w.restartDDM("54602a9d5e2242399123e350df4a34in09", nil)
	assert.True(t, errs.IsKind(err, errs.NotFound), "DDM's own form of ids: %v", err)
	assert.Equal(t, before, w.state())
}

func TestAHardRestartHelpsWhereASoftOneCannot(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	soft, hard := object(map[string]any{"type": "soft"}), object(map[string]any{"type": "hard"})
	for why, become := range map[string]func(id string){
		"unknown": func(id string) { w.serviceIs(id, "UNKNOWN") },
		"paused":  func(id string) { w.serviceIs(id, "PAUSED") },
		"error":   func(id string) { w.serverIs(id, "ERROR") },
		"down":    func(id string) { w.serverIs(id, "SHUTDOWN") },
	} {
		id := w.old("demo", "ill")
		become(id)
		_, err := w.restartDDM(id, soft)
		assert.Equal(t, errs.WrongState, errs.From(err).Kind, why)
		_, err = w.restartDDM(id, hard)
		require.NoError(t, err, why)
	}
	for why, become := range map[string]func(id string){
		"crashed": func(id string) { w.serviceIs(id, "CRASHED") }, "silent": w.silent,
	} {
		id := w.old("demo", "ill")
		become(id)
		_, err := w.restartDDM(id, hard)
		require.NoError(t, err, why)
		_, err = w.restartDDM(id, hard)
		require.ErrorContains(t, err, "(task status was REBOOTING).")
		_, err = w.restartDDM(id, soft)
		require.ErrorContains(t, err, "(task status was REBOOTING).")
	}
}

func TestTheSameRequestIDIsTheSameJob(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	const request = "req-0b3e1c1e-0000-4000-8000-0000000000ff"
	one, two := w.old("demo", "one"), w.old("demo", "two")
	first, err := w.restartDDM(one, nil, requestIDHeader, request)
	require.NoError(t, err)
	again, err := w.restartDDM(one, nil, requestIDHeader, request)
	require.NoError(t, err)
	assert.Equal(t, first.GetJobId(), again.GetJobId())
	other, err := w.restartDDM(two, nil, requestIDHeader, request)
	require.NoError(t, err, "a client may use one id for all that it does")
	assert.NotEqual(t, first.GetJobId(), other.GetJobId())
	w.complete(first.GetJobId(), &journalv1.FinishTaskRequest{})
	hard, err := w.restartDDM(one, object(map[string]any{"type": "hard"}), requestIDHeader, request)
	require.NoError(t, err)
	assert.NotEqual(t, first.GetJobId(), hard.GetJobId())

	keyed, err := w.restartDDM(two, nil, requestIDHeader, request, keyHeader, "k")
	assert.Equal(t, errs.WrongState, errs.From(err).Kind, "a key of one's own counts alone: %v", keyed)
	_, err = w.restartDDM(one, nil)
	require.ErrorContains(t, err, "(task status was REBOOTING).", "without an id each call is a new one")
}

func TestAJobIsATaskInDDMsWords(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	id := w.old("demo", "worked")
	accepted, err := w.restartDDM(id, nil)
	require.NoError(t, err)
	job, err := w.job(accepted.GetJobId())
	require.NoError(t, err, "it is there at once")
	assert.Equal(t, "RestartInstance", job.GetName())
	assert.Equal(t, "Running", job.GetStatus())
	assert.Equal(t, "0%", job.GetProcess())
	assert.Empty(t, job.GetEndTime())
	assert.Equal(t, id, job.GetInstance().GetId())
	assert.Equal(t, "worked", job.GetInstance().GetName())
	assert.Nil(t, job.InstanceId)
	assert.Nil(t, job.FailReason)
	_, err = time.Parse("2006-01-02T15:04:05-0700", job.GetCreatedTime())
	require.NoError(t, err)

	run := w.claim(accepted.GetJobId()).GetRun()
	_, err = w.journal().RecordSteps(t.Context(), &journalv1.RecordStepsRequest{Run: run, Progress: 60})
	require.NoError(t, err)
	job, err = w.job(accepted.GetJobId())
	require.NoError(t, err)
	assert.Equal(t, "60%", job.GetProcess())
	w.finish(run, &journalv1.FinishTaskRequest{TaskStatus: "NONE"})
	job, err = w.job(accepted.GetJobId())
	require.NoError(t, err)
	assert.Equal(t, "Completed", job.GetStatus())
	assert.Empty(t, job.GetProcess())
	assert.NotEmpty(t, job.GetEndTime())

	failed := w.mustDo("DDM's hard restart", id)
	w.complete(failed.GetId(), &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED,
		Failure: &taskv1.TaskError{Code: "NO_HOST", Step: "reboot_server", Message: "no host"},
	})
	job, err = w.job(failed.GetId())
	require.NoError(t, err)
	assert.Equal(t, "RestartInstance", job.GetName(), "a reboot is a restart to DDM")
	assert.Equal(t, "Failed", job.GetStatus())
	assert.Equal(t, "no host", job.GetFailReason())

	foreign := w.create("admin", order("foreign")).GetTask().GetId()
	for _, unknown := range []string{unknownID, "job", "", foreign} {
		_, err = w.job(unknown)
		require.ErrorContains(t, err, "Task not found.")
		assert.True(t, errs.IsReason(err, "JOB_NOT_FOUND"), unknown)
	}
}

// jobs lists jobs of the last hour, unless the request says otherwise.
func (w *world) jobs(request *ddmv1.ListJobsRequest) (*ddmv1.ListJobsResponse, error) {
	request.ProjectId = w.project("reader")
	now := time.Now()
	request.StartTime = cmp.Or(request.GetStartTime(), millis(now.Add(-time.Hour)))
	request.EndTime = cmp.Or(request.GetEndTime(), millis(now.Add(time.Hour)))
	return w.ddm().ListJobs(w.as("reader"), request)
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func TestJobsAreListedByTimeAndFilter(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	id := w.old("demo", "worked") // CreateInstance, Completed
	w.complete(w.mustDo("restart", id).GetId(), &journalv1.FinishTaskRequest{})
	w.complete(w.mustDo("reboot", id).GetId(), &journalv1.FinishTaskRequest{Outcome: journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED})
	w.mustDo("resize volume", id)
	w.create("admin", order("foreign"))
	count := func(request *ddmv1.ListJobsRequest) int {
		t.Helper()
		listed, err := w.jobs(request)
		require.NoError(t, err)
		assert.Len(t, listed.GetJobs(), int(listed.GetTotal()))
		return len(listed.GetJobs())
	}
	all, err := w.jobs(&ddmv1.ListJobsRequest{})
	require.NoError(t, err)
	assert.Equal(t, []int32{0, 10, 4}, []int32{all.GetOffset(), all.GetLimit(), all.GetTotal()})
	require.Len(t, all.GetJobs(), 4)
	newest := all.GetJobs()[0]
	assert.Equal(t, "ResizeVolume", newest.GetName())
	assert.Equal(t, id, newest.GetInstanceId())
	assert.Equal(t, "worked", newest.GetInstanceName())
	assert.Nil(t, newest.GetInstance())
	assert.Equal(t, 1, count(&ddmv1.ListJobsRequest{Status: "Running"}))
	assert.Equal(t, 2, count(&ddmv1.ListJobsRequest{Status: "Completed"}))
	assert.Equal(t, 1, count(&ddmv1.ListJobsRequest{Status: "Failed"}), "cancelled is failed to DDM")
	assert.Equal(t, 2, count(&ddmv1.ListJobsRequest{Name: "RestartInstance"}))
	assert.Equal(t, 1, count(&ddmv1.ListJobsRequest{Name: "RestartInstance", Status: "Completed"}))
	assert.Equal(t, 0, count(&ddmv1.ListJobsRequest{Name: "BindEIP"}))
	assert.Equal(t, 0, count(&ddmv1.ListJobsRequest{EndTime: millis(time.Now().Add(-time.Minute))}))

	page, err := w.jobs(&ddmv1.ListJobsRequest{Offset: "1", Limit: "2"})
	require.NoError(t, err)
	assert.Equal(t, []int32{1, 2, 4}, []int32{page.GetOffset(), page.GetLimit(), page.GetTotal()})
	require.Len(t, page.GetJobs(), 2)
	assert.Equal(t, all.GetJobs()[1].GetId(), page.GetJobs()[0].GetId())
	beyond, err := w.jobs(&ddmv1.ListJobsRequest{Offset: "9"})
	require.NoError(t, err)
	assert.Empty(t, beyond.GetJobs())
	assert.Equal(t, int32(4), beyond.GetTotal())
}

func TestListsOfJobsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	now := time.Now()
	span := func(d time.Duration) *ddmv1.ListJobsRequest {
		return &ddmv1.ListJobsRequest{StartTime: millis(now), EndTime: millis(now.Add(d))}
	}
	_, err := w.jobs(span(30 * 24 * time.Hour))
	require.NoError(t, err)
	for why, request := range map[string]*ddmv1.ListJobsRequest{
		"31 days": span(31 * 24 * time.Hour), "backwards": span(-time.Second), "all time": {StartTime: "0", EndTime: "9223372036854775807"},
		"text": {StartTime: "yesterday"}, "before 1970": {StartTime: "-1"},
		"limit 0": {Limit: "0"}, "limit 129": {Limit: "129"}, "limit x": {Limit: "x"},
		"offset -1": {Offset: "-1"}, "offset x": {Offset: "x"}, "offset beyond": {Offset: "2147483648"},
		"status": {Status: "running"},
	} {
		_, err := w.jobs(request)
		require.ErrorContains(t, err, "Parameter error: ", why)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind, why)
	}
	_, err = w.ddm().ListJobs(w.as("demo"), &ddmv1.ListJobsRequest{ProjectId: w.project("demo")})
	require.ErrorContains(t, err, "start_time and end_time must be milliseconds since 1970")
}

func TestTheOperatorMayCloseTheHardRestart(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withPolicy(t, `instance:restart_hard: admin`)).offering()
	id := w.old("demo", "guarded")
	_, _, err := w.do("DDM's hard restart", id)
	require.ErrorContains(t, err, "Policy doesn't allow instance:restart_hard to be performed.")
	_, _, err = w.do("DDM's soft restart", id)
	require.NoError(t, err)
	w.complete(w.lastTask(id), &journalv1.FinishTaskRequest{})
	_, err = w.ddm().RestartInstance(w.as("admin"), &ddmv1.RestartInstanceRequest{
		ProjectId: w.project("admin"), InstanceId: id, Restart: object(map[string]any{"type": "hard"}),
	})
	require.NoError(t, err)
}
