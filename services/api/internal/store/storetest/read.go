package storetest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var instanceTests = map[string]func(*suite){
	"AForeignInstanceIsNotFound": func(s *suite) {
		instance := s.running(project)
		found, err := s.Instance(s.ctx, project, instance.ID)
		require.NoError(s, err)
		assert.Equal(s, instance, found)
		_, err = s.Instance(s.ctx, "other", instance.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ListsArePagedById": func(s *suite) {
		var ids []string
		for range 5 {
			ids = append(ids, s.accept(creation(project)).Instance.ID)
		}
		s.accept(creation("other"))
		slices.Sort(ids)
		var seen []string
		marker := ""
		for pages := 1; ; pages++ {
			list, next, err := s.ListInstances(s.ctx, project, store.Page{Limit: 2, Marker: marker})
			require.NoError(s, err)
			for _, instance := range list {
				seen = append(seen, instance.ID)
			}
			if marker = next; next == "" {
				assert.Equal(s, 3, pages)
				break
			}
		}
		assert.Equal(s, ids, seen)
	},
	"AFullLastPageHasNoNext": func(s *suite) {
		s.accept(creation(project))
		_, next, err := s.ListInstances(s.ctx, project, store.Page{Limit: 1})
		require.NoError(s, err)
		assert.Empty(s, next)
	},
}

var taskTests = map[string]func(*suite){
	"AForeignTaskIsNotFound": func(s *suite) {
		task := s.accept(creation(project)).Task
		found, err := s.Task(s.ctx, project, task.ID)
		require.NoError(s, err)
		assert.Equal(s, task, found)
		_, err = s.Task(s.ctx, "other", task.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ListsArePagedNewestFirst": func(s *suite) {
		var ids []string
		for i := range 5 {
			ids = append(ids, s.accept(creation(project)).Task.ID)
			if i%2 == 0 {
				s.clock.advance(time.Second)
			}
		}
		s.accept(creation("other"))
		first, next, err := s.ListTasks(s.ctx, store.TaskFilter{ProjectID: project}, store.Page{Limit: 2})
		require.NoError(s, err)
		assert.ElementsMatch(s, ids[3:], []string{first[0].ID, first[1].ID})
		seen := []string{first[0].ID, first[1].ID}
		for next != "" {
			var list []store.Task
			list, next, err = s.ListTasks(s.ctx, store.TaskFilter{ProjectID: project}, store.Page{Limit: 2, Marker: next})
			require.NoError(s, err)
			for _, task := range list {
				seen = append(seen, task.ID)
			}
		}
		assert.Equal(s, ids[0], seen[4])
		assert.ElementsMatch(s, ids, seen)
	},
	"ListsAreFiltered": func(s *suite) {
		instance := s.running(project)
		s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		for _, c := range []struct {
			filter store.TaskFilter
			want   int
		}{
			{store.TaskFilter{ProjectID: project}, 3},
			{store.TaskFilter{InstanceID: instance.ID}, 2},
			{store.TaskFilter{ProjectID: project, States: []store.TaskState{store.TaskSucceeded}}, 2},
			{store.TaskFilter{ProjectID: project, Actions: []action.Name{action.RestartInstance}}, 1},
			{store.TaskFilter{ProjectID: "other", InstanceID: instance.ID}, 0},
		} {
			list, _, err := s.ListTasks(s.ctx, c.filter, store.Page{Limit: 10})
			require.NoError(s, err)
			assert.Len(s, list, c.want, "%+v", c.filter)
		}
		list, _, err := s.ListTasks(s.ctx, store.TaskFilter{States: []store.TaskState{store.TaskQueued}}, store.Page{Limit: 10})
		require.NoError(s, err)
		assert.Equal(s, []store.Task{restart}, list)
	},
	"AMarkerThatIsNoTaskIsNotFound": func(s *suite) {
		_, _, err := s.ListTasks(s.ctx, store.TaskFilter{ProjectID: project}, store.Page{Limit: 1, Marker: uuid.NewString()})
		require.ErrorIs(s, err, store.ErrNotFound)
	},
}

var outboxTests = map[string]func(*suite){
	"ACommitIsSignalled": func(s *suite) {
		select {
		case <-s.Committed():
			s.Fatal("nothing was committed")
		default:
		}
		s.accept(creation(project))
		<-s.Committed()
		require.NoError(s, s.SaveToken(s.ctx, store.Token{Hash: []byte("h"), Expires: s.clock.Now()}))
		select {
		case <-s.Committed():
			s.Fatal("nothing was written to the outbox")
		default:
		}
	},
	"MessagesStayUntilTheyAreSent": func(s *suite) {
		s.accept(creation(project))
		s.accept(creation(project))
		messages, err := s.Pending(s.ctx, 4)
		require.NoError(s, err)
		require.Len(s, messages, 4)
		require.NoError(s, s.Sent(s.ctx, []int64{messages[2].ID, messages[0].ID}))
		require.NoError(s, s.Sent(s.ctx, nil))
		left, err := s.Pending(s.ctx, 10)
		require.NoError(s, err)
		require.Len(s, left, 4)
		assert.Equal(s, messages[1], left[0])
		assert.Equal(s, messages[3], left[1])
		assert.Less(s, left[0].ID, left[1].ID)
	},
	"PingAnswers": func(s *suite) { require.NoError(s, s.Ping(s.ctx)) },
}

var tokenTests = map[string]func(*suite){
	"ATokenIsKeptUntilRevoked": func(s *suite) {
		token := store.Token{Hash: []byte{0, 1, 255}, UserID: "u", Payload: []byte("p"), Expires: s.clock.Now().Add(time.Hour)}
		require.NoError(s, s.SaveToken(s.ctx, token))
		found, err := s.Token(s.ctx, token.Hash)
		require.NoError(s, err)
		assert.Equal(s, token, found)
		require.NoError(s, s.RevokeToken(s.ctx, token.Hash))
		_, err = s.Token(s.ctx, token.Hash)
		require.ErrorIs(s, err, store.ErrNotFound)
		require.NoError(s, s.RevokeToken(s.ctx, token.Hash))
	},
	"WhatHasExpiredIsPurged": func(s *suite) {
		now := s.clock.Now()
		require.NoError(s, s.SaveToken(s.ctx, store.Token{Hash: []byte("old"), Expires: now}))
		require.NoError(s, s.SaveToken(s.ctx, store.Token{Hash: []byte("new"), Expires: now.Add(time.Second)}))
		require.NoError(s, s.PurgeExpired(s.ctx, now))
		_, err := s.Token(s.ctx, []byte("old"))
		require.ErrorIs(s, err, store.ErrNotFound)
		_, err = s.Token(s.ctx, []byte("new"))
		require.NoError(s, err)
	},
}

var catalogTests = map[string]func(*suite){
	"ThereIsNoneUntilAProviderRegisters": func(s *suite) {
		_, err := s.Catalog(s.ctx)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"VersionsKeepTheirIdsAndTheHighestIsTheDefault": func(s *suite) {
		offer := func(versions ...*journalv1.CatalogDatastoreVersion) store.Catalog {
			catalog, err := s.SaveCatalog(s.ctx, store.Catalog{Provider: &journalv1.RegisterProviderRequest{
				Provider: "local", Region: "RegionOne", DatastoreVersions: versions,
			}})
			require.NoError(s, err)
			return catalog
		}
		first := offer(
			&journalv1.CatalogDatastoreVersion{Manager: "mariadb", Name: "10.11", Version: "10.11.14"},
			&journalv1.CatalogDatastoreVersion{Manager: "mariadb", Name: "10.6", Version: "10.6.99"},
			&journalv1.CatalogDatastoreVersion{Manager: "postgresql", Name: "15", Version: "15.18"},
		)
		require.Len(s, first.DatastoreVersions, 3)
		series := first.DatastoreVersions[1]
		assert.Equal(s, "mariadb", series.DatastoreName)
		assert.Equal(s, "10.11", series.Name)
		assert.True(s, series.Default)
		assert.False(s, first.DatastoreVersions[0].Default)
		assert.True(s, first.DatastoreVersions[2].Default)
		assert.Equal(s, uuid.Version(5), uuid.MustParse(series.ID).Version())

		second := offer(&journalv1.CatalogDatastoreVersion{Manager: "mariadb", Name: "10.11", Version: "10.11.19"})
		stored, err := s.Catalog(s.ctx)
		require.NoError(s, err)
		assert.Equal(s, second.DatastoreVersions, stored.DatastoreVersions)
		assert.Equal(s, "local", stored.Provider.GetProvider())
		require.Len(s, stored.DatastoreVersions, 3)
		series.Version = "10.11.19"
		assert.Equal(s, series, stored.DatastoreVersions[1])
		assert.False(s, stored.DatastoreVersions[0].Active)
		assert.False(s, stored.DatastoreVersions[2].Default)
	},
}
