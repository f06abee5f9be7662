package storetest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var allInstancesTests = map[string]func(*suite){
	"ThoseUpdatedLastComeFirst": func(s *suite) {
		var made []string
		for _, projectID := range []string{"one", "two", "one", "two", "one"} {
			made = append(made, s.accept(creation(projectID)).Instance.ID)
			s.clock.advance(time.Second)
		}
		slices.Reverse(made)
		var seen []string
		for offset := 0; ; offset += 2 {
			list, more, err := s.ListAllInstances(s.ctx, store.InstanceFilter{}, store.Page{Limit: 2, Offset: offset})
			require.NoError(s, err)
			seen = append(seen, ids(list)...)
			if !more {
				break
			}
		}
		assert.Equal(s, made, seen)
	},
	"TheyAreFiltered": func(s *suite) {
		living := s.running("one")
		deleted := s.running("one")
		s.buried(deleted.ID)
		building := s.accept(creation("two")).Instance
		yes, no := true, false
		for _, c := range []struct {
			filter store.InstanceFilter
			want   []string
		}{
			{store.InstanceFilter{}, []string{living.ID, deleted.ID, building.ID}},
			{store.InstanceFilter{Deleted: &yes}, []string{deleted.ID}},
			{store.InstanceFilter{Deleted: &no}, []string{living.ID, building.ID}},
			{store.InstanceFilter{ProjectID: "one"}, []string{living.ID, deleted.ID}},
			{store.InstanceFilter{ProjectID: "two", Deleted: &yes}, nil},
			{store.InstanceFilter{NeverActive: true}, []string{building.ID}},
		} {
			list, more, err := s.ListAllInstances(s.ctx, c.filter, store.Page{Limit: 10})
			require.NoError(s, err)
			assert.False(s, more)
			assert.ElementsMatch(s, c.want, ids(list), "%+v", c.filter)
		}
	},
	"ADeletedOneIsStillFoundWhenAskedFor": func(s *suite) {
		instance := s.running(project)
		s.buried(instance.ID)
		found, err := s.InstanceEver(s.ctx, instance.ID)
		require.NoError(s, err)
		assert.NotNil(s, found.Deleted)
		_, err = s.InstanceEver(s.ctx, uuid.NewString())
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ASetIsItsSourceAndThenItsReplicas": func(s *suite) {
		source, replicas := s.set(3)
		for _, one := range append(replicas, source) {
			set, err := s.InstanceSet(s.ctx, project, one.ID)
			require.NoError(s, err)
			assert.Equal(s, append([]store.Instance{source}, replicas...), set)
		}
		s.buried(replicas[0].ID)
		set, err := s.InstanceSet(s.ctx, "", source.ID)
		require.NoError(s, err)
		assert.Equal(s, []string{source.ID, replicas[1].ID, replicas[2].ID}, ids(set))
		_, err = s.InstanceSet(s.ctx, "other", source.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ReplicasAreFoundForAWholePage": func(s *suite) {
		first, one := s.set(2)
		second, two := s.set(1)
		alone := s.running(project)
		s.buried(two[0].ID)
		replicas, err := s.Replicas(s.ctx, []string{alone.ID, first.ID, second.ID})
		require.NoError(s, err)
		assert.Equal(s, map[string][]string{first.ID: ids(one)}, replicas)
		replicas, err = s.Replicas(s.ctx, nil)
		require.NoError(s, err)
		assert.Empty(s, replicas)
	},
	"TasksAreFoundByTheirTimeAndCounted": func(s *suite) {
		instance := s.running(project)
		began := s.clock.Now()
		var made []string
		for range 4 {
			s.clock.advance(time.Minute)
			made = append(made, s.act(action.RebootInstance, instance.ID).ID)
		}
		filter := store.TaskFilter{
			ProjectID: project, From: began.Add(2 * time.Minute), Until: began.Add(4 * time.Minute),
			Actions: []action.Name{action.RestartInstance, action.RebootInstance},
			States:  []store.TaskState{store.TaskQueued, store.TaskRunning},
		}
		n, err := s.CountTasks(s.ctx, filter)
		require.NoError(s, err)
		assert.Equal(s, 3, n)
		list, _, err := s.ListTasks(s.ctx, filter, store.Page{Limit: 2, Offset: 1})
		require.NoError(s, err)
		require.Len(s, list, 2)
		assert.Equal(s, []string{made[2], made[1]}, []string{list[0].ID, list[1].ID})
	},
}
