package api_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

func certificateRequest(t *testing.T) []byte {
	t.Helper()
	key, err := pki.NewKey()
	require.NoError(t, err)
	request, err := pki.Request(key)
	require.NoError(t, err)
	return request
}

func nameIn(t *testing.T, certificatePEM []byte) string {
	t.Helper()
	block, _ := pem.Decode(certificatePEM)
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.Len(t, certificate.URIs, 1)
	return certificate.URIs[0].String()
}

func TestAGuestIsSignedFirstForItsBuilderAndThenForItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created, other := w.create("demo", order("guest")), w.create("demo", order("other"))
	id := created.GetInstance().GetId()
	run, otherRun := w.claim(created.GetTask().GetId()).GetRun(), w.claim(other.GetTask().GetId()).GetRun()

	bootstrap, err := w.signing().IssueBootstrap(t.Context(), &journalv1.IssueBootstrapRequest{Run: run, InstanceId: id})
	require.NoError(t, err)
	assert.Equal(t, "coffer://bootstrap/"+id, nameIn(t, bootstrap.GetCertificatePem()))
	_, err = w.signing().IssueBootstrap(t.Context(), &journalv1.IssueBootstrapRequest{Run: otherRun, InstanceId: id})
	assert.True(t, errs.IsKind(err, errs.Forbidden), "another task's run")

	request := certificateRequest(t)
	sign := func(run *journalv1.Run, request []byte) ([]byte, error) {
		signed, err := w.signing().SignGuest(t.Context(),
			&journalv1.SignGuestRequest{InstanceId: id, CertificateRequest: request, Run: run})
		return signed.GetCertificatePem(), err
	}
	_, err = sign(nil, request)
	assert.True(t, errs.IsKind(err, errs.Forbidden), "nobody has enrolled")
	_, err = sign(otherRun, request)
	assert.True(t, errs.IsKind(err, errs.Forbidden))
	_, err = sign(run, []byte("no request"))
	assert.True(t, errs.IsKind(err, errs.Invalid))
	first, err := sign(run, request)
	require.NoError(t, err)
	assert.Equal(t, "coffer://instance/"+id, nameIn(t, first))
	_, err = sign(run, request)
	require.NoError(t, err, "an answer that was lost is given again")
	_, err = sign(run, certificateRequest(t))
	assert.True(t, errs.IsReason(err, "WRONG_KEY"), "a bootstrap enrols one key")
	w.finish(run, &journalv1.FinishTaskRequest{TaskStatus: "NONE", Instance: built()})

	_, err = sign(run, certificateRequest(t))
	assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED"), "the run has ended")
	_, err = sign(nil, certificateRequest(t))
	assert.True(t, errs.IsReason(err, "WRONG_KEY"))
	_, err = sign(nil, request)
	require.NoError(t, err)

	guests, err := w.guests().ListGuests(t.Context(), &journalv1.ListGuestsRequest{})
	require.NoError(t, err)
	require.Len(t, guests.GetGuests(), 1)
	assert.Equal(t, "127.1.0.1:8781", guests.GetGuests()[0].GetGuestAddress())
	assert.NotZero(t, guests.GetGuests()[0].GetCertificateExpires())
}

func TestATaskmanagerInProcessGetsTheNameItAsksFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signed, err := w.signing().SignTaskmanager(t.Context(),
		&journalv1.SignTaskmanagerRequest{Name: "tm-1", CertificateRequest: certificateRequest(t)})
	require.NoError(t, err)
	assert.Equal(t, "coffer://taskmanager/tm-1", nameIn(t, signed.GetCertificatePem()))
	assert.Equal(t, w.api.CA().PEM(), signed.GetCaPem())
}

func TestAnOldRunWritesAndReadsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	body := order("contended")
	body.Users = []*instancev1.NewUser{{Name: "app", Password: "planted"}}
	id := w.create("demo", body).GetTask().GetId()
	old := w.claim(id).GetRun()
	current := w.claim(id).GetRun()
	require.Greater(t, current.GetEpoch(), old.GetEpoch(), "the same worker takes its task back")
	ctx := t.Context()
	for name, call := range map[string]func(*journalv1.Run) error{
		"renew": func(r *journalv1.Run) error {
			_, err := w.journal().RenewLease(ctx, &journalv1.RenewLeaseRequest{Run: r})
			return err
		},
		"record": func(r *journalv1.Run) error {
			_, err := w.journal().RecordSteps(ctx, &journalv1.RecordStepsRequest{Run: r})
			return err
		},
		"secrets": func(r *journalv1.Run) error {
			_, err := w.journal().GetSecrets(ctx, &journalv1.GetSecretsRequest{Run: r})
			return err
		},
		"finish": func(r *journalv1.Run) error {
			_, err := w.journal().FinishTask(ctx, &journalv1.FinishTaskRequest{
				Run: r, Outcome: journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, TaskStatus: "NONE",
			})
			return err
		},
	} {
		assert.True(t, errs.IsReason(call(old), "RUN_SUPERSEDED"), name)
		if name != "finish" {
			require.NoError(t, call(current), name)
		}
	}
	busy, err := w.journal().ClaimTask(ctx, &journalv1.ClaimTaskRequest{TaskId: id, Worker: "other"})
	require.NoError(t, err)
	assert.Equal(t, journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY, busy.GetOutcome())
	gone, err := w.journal().ClaimTask(ctx, &journalv1.ClaimTaskRequest{TaskId: unknownID, Worker: "other"})
	require.NoError(t, err)
	assert.Equal(t, journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE, gone.GetOutcome())
}

func TestMonitorsHearOfEachOtherAndOfGuests(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := w.guests().WatchGuests(ctx, &journalv1.WatchGuestsRequest{})
	require.NoError(t, err)
	_, err = stream.Header()
	require.NoError(t, err)
	joined, err := w.guests().JoinMonitors(ctx, &journalv1.JoinMonitorsRequest{Worker: "tm-1"})
	require.NoError(t, err)
	assert.Equal(t, []string{"tm-1"}, joined.GetWorkers())
	_, err = stream.Recv()
	require.NoError(t, err, "a monitor came")

	id := w.active("demo", "watched").GetId()
	_, err = stream.Recv()
	require.NoError(t, err, "a guest came")

	blocked := healthy(5)
	blocked.ServiceStatus = "BLOCKED"
	_, err = w.guests().ReportGuestStatus(ctx, &journalv1.ReportGuestStatusRequest{Worker: "tm-1", InstanceId: id, Status: blocked})
	require.NoError(t, err)
	late := healthy(4)
	late.ServiceStatus = "CRASHED"
	_, err = w.guests().ReportGuestStatus(ctx, &journalv1.ReportGuestStatusRequest{Worker: "tm-1", InstanceId: id, Status: late})
	require.NoError(t, err)
	assert.Equal(t, "BLOCKED", w.get("demo", id).GetOperatingStatus(), "a late report is dropped")
	_, err = w.guests().ReportGuestStatus(ctx, &journalv1.ReportGuestStatusRequest{Worker: "tm-1", InstanceId: id})
	require.NoError(t, err)
	silent := w.get("demo", id)
	assert.Equal(t, "ERROR", silent.GetOperatingStatus(), "a silent guest")
	assert.Nil(t, silent.GetVolume().Used)
	_, err = w.guests().ReportServerStatus(ctx, &journalv1.ReportServerStatusRequest{InstanceId: id, ServerStatus: "SHUTDOWN"})
	require.NoError(t, err)
	assert.Equal(t, "SHUTDOWN", w.get("demo", id).GetStatus())

	late.ServiceStatus = "FINE"
	_, err = w.guests().ReportGuestStatus(ctx, &journalv1.ReportGuestStatusRequest{Worker: "tm-1", InstanceId: id, Status: late})
	assert.True(t, errs.IsKind(err, errs.Invalid))
}
