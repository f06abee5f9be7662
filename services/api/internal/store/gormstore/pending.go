package gormstore

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var errPending = errs.New(errs.Unsupported, "NOT_YET", "Not yet.")

func (s *Store) AcceptAll(context.Context, store.Batch) ([]store.Accepted, error) {
	return nil, errPending
}

func (s *Store) AcceptEach(context.Context, store.Batch) ([]store.Outcome, error) {
	return nil, errPending
}

func (s *Store) Rename(context.Context, store.Change, string) (store.Instance, error) {
	return store.Instance{}, errPending
}

func (s *Store) ResetStatus(context.Context, store.Change, bool) (store.Instance, error) {
	return store.Instance{}, errPending
}

func (s *Store) InstanceEver(context.Context, string) (store.Instance, error) {
	return store.Instance{}, errPending
}

func (s *Store) InstanceSet(context.Context, string, string) ([]store.Instance, error) {
	return nil, errPending
}

func (s *Store) Replicas(context.Context, []string) (map[string][]string, error) {
	return nil, errPending
}

func (s *Store) ListAllInstances(context.Context, store.InstanceFilter, store.Page) ([]store.Instance, bool, error) {
	return nil, false, errPending
}
