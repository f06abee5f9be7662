package gormstore

import (
	"maps"
	"slices"
	"sync"
)

// sent are messages that NATS has and SQLite still holds. They are deleted along with the next write: a transaction of
// their own would be an fsync for nothing, since a message that is sent again after a crash is dropped by its id.
type sent struct {
	mu  sync.Mutex
	ids map[int64]struct{}
}

func newSent() *sent { return &sent{ids: map[int64]struct{}{}} }

func (s *sent) add(ids []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.ids[id] = struct{}{}
	}
}

func (s *sent) deleted(ids []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.ids, id)
	}
}

// all are in order; nil has none.
func (s *sent) all() []int64 {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.ids))
}
