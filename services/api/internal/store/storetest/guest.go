package storetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var guestTests = map[string]func(*suite){
	"TheLivingMonitorsKnowEachOther": func(s *suite) {
		join := func(worker string, leave bool) []string {
			living, err := s.JoinMonitors(s.ctx, worker, lease, leave)
			require.NoError(s, err)
			return living
		}
		assert.Equal(s, []string{"a"}, join("a", false))
		assert.Equal(s, []string{"a", "b"}, join("b", false))
		s.clock.advance(lease - time.Second)
		assert.Equal(s, []string{"a", "b"}, join("b", false))
		s.clock.advance(time.Second)
		assert.Equal(s, []string{"b"}, join("b", false))
		assert.Empty(s, join("b", true))
	},
	"InstancesAreSortedIntoThoseThatLiveAndThoseThatAreDeleted": func(s *suite) {
		instance, gone := s.running(project), s.running(project)
		run := s.begin(s.act(action.DeleteInstance, gone.ID).ID)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded, Deleted: true})
		ids := []string{instance.ID, gone.ID}
		for range 1200 {
			ids = append(ids, uuid.NewString())
		}

		living, deleted, err := s.FindInstances(s.ctx, ids)
		require.NoError(s, err)
		assert.Equal(s, []string{instance.ID}, living)
		assert.Equal(s, []string{gone.ID}, deleted)
	},
	"GuestsAreLivingInstancesWithAnAddress": func(s *suite) {
		s.accept(creation(project))
		instance := s.running(project)
		deleted := s.running(project)
		run := s.begin(s.act(action.DeleteInstance, deleted.ID).ID)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded, Deleted: true})
		expires := s.clock.Now().Add(day)
		require.NoError(s, s.SaveGuestCertificate(s.ctx, instance.ID, []byte("key"), expires))

		guests, err := s.ListGuests(s.ctx)
		require.NoError(s, err)
		assert.Equal(s, []store.Guest{
			{InstanceID: instance.ID, GuestAddress: "127.1.2.3:8781", CertificateExpires: expires},
		}, guests)
		key, err := s.GuestKey(s.ctx, instance.ID)
		require.NoError(s, err)
		assert.Equal(s, []byte("key"), key)
		_, err = s.GuestKey(s.ctx, deleted.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"AGuestWithoutACertificateHasNoKey": func(s *suite) {
		key, err := s.GuestKey(s.ctx, s.running(project).ID)
		require.NoError(s, err)
		assert.Empty(s, key)
	},
	"AChangeIsStoredAndTold": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		s.clock.advance(time.Second)
		crashed := report(1, 2, "CRASHED")
		crashed.Volume = &journalv1.VolumeUse{UsedBytes: 7, TotalBytes: 9}
		s.report(instance.ID, crashed)
		stored := s.instance(instance.ID)
		assert.Equal(s, status.ServiceCrashed, stored.ServiceStatus)
		assert.Equal(s, s.clock.Now(), stored.ServiceStatusUpdated)
		assert.Equal(s, []uint64{7, 9}, []uint64{stored.VolumeUsedBytes, stored.VolumeTotalBytes})
		assert.Equal(s, []string{"ACTIVE SHUTDOWN"}, s.outbox().statuses())
	},
	"AnOlderReportIsDropped": func(s *suite) {
		instance := s.running(project)
		s.report(instance.ID, report(2, 5, "SHUTDOWN"))
		s.outbox()
		for _, late := range []*journalv1.GuestStatus{
			report(2, 5, "HEALTHY"), report(2, 4, "HEALTHY"), report(1, 99, "HEALTHY"),
		} {
			s.report(instance.ID, late)
		}
		assert.Equal(s, status.ServiceShutdown, s.instance(instance.ID).ServiceStatus)
		assert.Empty(s, s.outbox().subjects)
		s.report(instance.ID, report(3, 1, "HEALTHY"))
		assert.Equal(s, status.ServiceHealthy, s.instance(instance.ID).ServiceStatus)
	},
	"ALateReportDoesNotUndoAWorkflowsOwn": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: &journalv1.InstancePatch{GuestStatus: healthy(1, 9)}})
		require.NoError(s, err)
		s.report(instance.ID, report(1, 8, "SHUTDOWN"))
		assert.Equal(s, status.ServiceHealthy, s.instance(instance.ID).ServiceStatus)
	},
	"SignsOfLifeAreWrittenSeldomAndNotTold": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		s.clock.advance(10 * time.Second)
		s.report(instance.ID, healthy(1, 2))
		assert.Equal(s, instance, s.instance(instance.ID))
		s.clock.advance(20 * time.Second)
		s.report(instance.ID, healthy(1, 3))
		assert.Equal(s, s.clock.Now(), s.instance(instance.ID).ServiceStatusUpdated)
		assert.Empty(s, s.outbox().subjects)
	},
	"SilenceIsToldAtOnceAndEndsWithTheNextReport": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		s.report(instance.ID, nil)
		s.report(instance.ID, nil)
		silent := s.instance(instance.ID)
		assert.True(s, silent.Silent)
		assert.Equal(s, status.ServiceHealthy, silent.ServiceStatus)
		assert.Equal(s, instance.ServiceStatusUpdated, silent.ServiceStatusUpdated)
		assert.Equal(s, []string{"ACTIVE ERROR"}, s.outbox().statuses())
		s.report(instance.ID, healthy(1, 2))
		assert.False(s, s.instance(instance.ID).Silent)
		assert.Equal(s, []string{"ACTIVE HEALTHY"}, s.outbox().statuses())
	},
	"AnUnknownWordIsUnknown": func(s *suite) {
		instance := s.running(project)
		s.report(instance.ID, report(1, 2, "DANCING"))
		assert.Equal(s, status.ServiceUnknown, s.instance(instance.ID).ServiceStatus)
	},
	"TheServersStateIsStoredAndTold": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		require.NoError(s, s.ReportServer(s.ctx, instance.ID, status.ServerShutdown))
		require.NoError(s, s.ReportServer(s.ctx, instance.ID, status.ServerShutdown))
		assert.Equal(s, []string{"SHUTDOWN"}, s.outbox().statuses())
		assert.Equal(s, status.ServerShutdown, s.instance(instance.ID).ServerStatus)
	},
	"AnInstanceThatIsNotThereIsNotFound": func(s *suite) {
		id := uuid.NewString()
		require.ErrorIs(s, s.ReportGuest(s.ctx, store.GuestReport{InstanceID: id}), store.ErrNotFound)
		require.ErrorIs(s, s.ReportServer(s.ctx, id, status.ServerActive), store.ErrNotFound)
		require.ErrorIs(s, s.SaveGuestCertificate(s.ctx, id, nil, s.clock.Now()), store.ErrNotFound)
	},
}

func (s *suite) report(instanceID string, r *journalv1.GuestStatus) {
	s.Helper()
	require.NoError(s, s.ReportGuest(s.ctx, store.GuestReport{Worker: "worker", InstanceID: instanceID, Status: r}))
}
