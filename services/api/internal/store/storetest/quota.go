package storetest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// growth is a resize of the volume from 2 GiB by some more, of which the project may have 10.
func growth(instanceID string, more int) store.Acceptance {
	a := acceptance(action.ResizeVolume, instanceID)
	a.Quota = map[store.Resource]int{store.ResourceVolumes: more}
	a.QuotaLimits = map[store.Resource]int{store.ResourceVolumes: 10}
	return a
}

func flavor(id string, ram int32) *journalv1.InstancePatch {
	return &journalv1.InstancePatch{Flavor: &commandv1.Flavor{Id: id, Ram: ram}}
}

func size(gib int32) *journalv1.InstancePatch {
	return &journalv1.InstancePatch{VolumeSize: proto.Int32(gib)}
}

func (s *suite) inUse(resource store.Resource) int {
	s.Helper()
	return s.quota(project)[resource]
}

func (s *suite) buried(instanceID string) {
	s.Helper()
	run := s.begin(s.act(action.DeleteInstance, instanceID).ID)
	s.finish(store.Finish{Run: run, State: store.TaskSucceeded, Deleted: true})
}

var quotaOfChangesTests = map[string]func(*suite){
	"AnIncreaseIsTakenAtOnceAndKeptBySuccess": func(s *suite) {
		instance := s.running(project)
		task := s.accept(growth(instance.ID, 3)).Task
		assert.Equal(s, 5, s.inUse(store.ResourceVolumes))
		assert.Equal(s, map[store.Resource]int{store.ResourceVolumes: 3}, s.task(task.ID).Quota)
		s.finish(store.Finish{Run: s.begin(task.ID), State: store.TaskSucceeded, Patch: size(5)})
		assert.Equal(s, 5, s.inUse(store.ResourceVolumes))
		assert.Equal(s, 5, s.instance(instance.ID).VolumeSize)
		assert.Empty(s, s.task(task.ID).Quota)
		s.buried(instance.ID)
		assert.Zero(s, s.inUse(store.ResourceVolumes))
	},
	"AnIncreaseBeyondTheLimitIsRefused": func(s *suite) {
		instance := s.running(project)
		_, err := s.Accept(s.ctx, growth(instance.ID, 9))
		require.True(s, errs.IsKind(err, errs.OverQuota), "%v", err)
		assert.Equal(s, 2, s.inUse(store.ResourceVolumes))
		assert.Equal(s, instance, s.instance(instance.ID))
	},
	"AFailureGivesAnIncreaseBack": func(s *suite) {
		task := s.accept(growth(s.running(project).ID, 3)).Task
		s.finish(store.Finish{Run: s.begin(task.ID), State: store.TaskFailed})
		assert.Equal(s, 2, s.inUse(store.ResourceVolumes))
	},
	"ATaskThatNeverBeganGivesAnIncreaseBack": func(s *suite) {
		instance := s.running(project)
		task := s.accept(growth(instance.ID, 3)).Task
		_, err := s.CancelTask(s.ctx, project, task.ID, nil, func(store.Task) error { return nil })
		require.NoError(s, err)
		assert.Equal(s, 2, s.inUse(store.ResourceVolumes))
		s.accept(growth(instance.ID, 3))
		s.buried(instance.ID)
		assert.Zero(s, s.inUse(store.ResourceVolumes), "a deletion ends it too")
	},
	"AFailureKeepsWhatHasGrownAllTheSame": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.accept(growth(instance.ID, 3)).Task.ID)
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: size(5)})
		require.NoError(s, err)
		s.finish(store.Finish{Run: run, State: store.TaskFailed, TaskStatus: status.TaskNone})
		assert.Equal(s, 5, s.inUse(store.ResourceVolumes))
		s.buried(instance.ID)
		assert.Zero(s, s.inUse(store.ResourceVolumes))
	},
	"ADecreaseIsGivenBackAtTheEndAndNotBefore": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.ResizeFlavor, instance.ID).ID)
		assert.Equal(s, 512, s.inUse(store.ResourceRAM))
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: flavor("0", 256)})
		require.NoError(s, err)
		assert.Equal(s, 512, s.inUse(store.ResourceRAM), "it may still be undone")
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded})
		assert.Equal(s, 256, s.inUse(store.ResourceRAM))
		assert.Equal(s, "0", s.instance(instance.ID).FlavorID)
	},
	"ADecreaseThatIsUndoneIsNotGivenBack": func(s *suite) {
		run := s.begin(s.act(action.ResizeFlavor, s.running(project).ID).ID)
		for _, patch := range []*journalv1.InstancePatch{flavor("0", 256), flavor("1", 512)} {
			_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: patch})
			require.NoError(s, err)
		}
		s.finish(store.Finish{Run: run, State: store.TaskFailed})
		assert.Equal(s, 512, s.inUse(store.ResourceRAM))
	},
	"WhatIsThereCountsBeyondTheLimitToo": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.accept(growth(instance.ID, 1)).Task.ID)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded, Patch: size(50)})
		assert.Equal(s, 50, s.inUse(store.ResourceVolumes))
		s.buried(instance.ID)
		assert.Zero(s, s.inUse(store.ResourceVolumes))
	},
	"AChangeOfRolesMovesNone": func(s *suite) {
		source, replicas := s.set(1)
		before := s.quota(project)
		s.finish(store.Finish{
			Run: s.begin(s.act(promote, replicas[0].ID).ID), State: store.TaskSucceeded,
			Patch:   &journalv1.InstancePatch{ReplicaOf: proto.String("")},
			Members: map[string]store.MemberEnd{source.ID: {Patch: &journalv1.InstancePatch{ReplicaOf: &replicas[0].ID}}},
		})
		assert.Equal(s, before, s.quota(project))
	},
}
