package gormstore

import (
	"context"
	"errors"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// maxShared bounds how many acceptances of a batch share a transaction, and so how long others wait for it.
const maxShared = 16

// AcceptAll accepts all or none.
func (s *Store) AcceptAll(ctx context.Context, b store.Batch) ([]store.Accepted, error) {
	b = plain(b)
	var all []store.Accepted
	err := s.writer.writeFirst(ctx, "accept a batch", func(u *unit) error {
		var err error
		all, err = u.acceptAll(b)
		return takeBack(b.DryRun, err)
	})
	if err = passed(err); err != nil {
		return nil, err
	}
	return all, nil
}

// plain leaves the batch's key as the only one, and none in a dry run.
func plain(b store.Batch) store.Batch {
	if b.DryRun {
		b.Idempotency = nil
	}
	b.List = slices.Clone(b.List)
	for i := range b.List {
		b.List[i].Idempotency = nil
	}
	return b
}

func (u *unit) acceptAll(b store.Batch) ([]store.Accepted, error) {
	known, err := u.outcomes(b.Idempotency)
	if err != nil {
		return nil, err
	}
	outcomes := known
	if known == nil {
		if err := u.lockAhead(b.List); err != nil {
			return nil, err
		}
		for _, a := range b.List {
			accepted, err := u.accept(a)
			if err != nil {
				return nil, err
			}
			outcomes = append(outcomes, store.Outcome{Accepted: accepted})
		}
		if err := u.rememberOutcomes(b.Idempotency, outcomes, 0); err != nil {
			return nil, err
		}
	}
	all := make([]store.Accepted, 0, len(outcomes))
	for _, o := range outcomes {
		all = append(all, o.Accepted)
	}
	return all, nil
}

// AcceptEach accepts each by itself.
func (s *Store) AcceptEach(ctx context.Context, b store.Batch) ([]store.Outcome, error) {
	b = plain(b)
	shared := maxShared
	if b.DryRun {
		// What later ones would see of earlier ones is seen in one transaction alone.
		shared = len(b.List)
	}
	var outcomes []store.Outcome
	for len(outcomes) < len(b.List) {
		var more []store.Outcome
		err := s.writer.writeFirst(ctx, "accept a batch", func(u *unit) error {
			var err error
			more, err = u.acceptSome(b, outcomes, shared)
			return takeBack(b.DryRun, err)
		})
		if err = passed(err); err != nil {
			return outcomes, err
		}
		outcomes = more
	}
	return outcomes, nil
}

// acceptSome goes on after the outcomes before, and answers with all there are.
func (u *unit) acceptSome(b store.Batch, before []store.Outcome, most int) ([]store.Outcome, error) {
	known, err := u.outcomes(b.Idempotency)
	if err != nil || len(known) > len(before) {
		return known, err
	}
	list := b.List[len(before):]
	list = list[:min(most, len(list))]
	if err := u.lockAhead(list); err != nil {
		return nil, err
	}
	outcomes := slices.Clone(before)
	for _, a := range list {
		outcome, err := u.attempt(a)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, u.rememberOutcomes(b.Idempotency, outcomes, len(before))
}

// lockAhead locks what the acceptances are about in one order, so that two batches cannot wait for each other.
func (u *unit) lockAhead(list []store.Acceptance) error {
	if !u.shared {
		return nil
	}
	var ids []string
	for _, a := range list {
		if a.New == nil {
			ids = append(ids, a.InstanceID)
		} else if a.New.ReplicaOf != "" {
			ids = append(ids, a.New.ReplicaOf)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		var row instanceRow
		if err := u.readLocked(&row, id); err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
	}
	return nil
}

// attempt accepts one in a savepoint. The error is one of the whole transaction, the outcome's one of the acceptance.
func (u *unit) attempt(a store.Acceptance) (store.Outcome, error) {
	const savepoint = "acceptance"
	messages, changed := len(u.messages), maps.Clone(u.changed)
	if err := exec(u.db, "SAVEPOINT "+savepoint); err != nil {
		return store.Outcome{}, err
	}
	accepted, err := u.accept(a)
	if err != nil {
		if ofTransaction(err) {
			return store.Outcome{}, err
		}
		if err := exec(u.db, "ROLLBACK TO SAVEPOINT "+savepoint); err != nil {
			return store.Outcome{}, err
		}
		u.messages, u.changed = u.messages[:messages], changed
		accepted = store.Accepted{}
	}
	return store.Outcome{Accepted: accepted, Err: translate("accept "+string(a.Action.Name), err)},
		exec(u.db, "RELEASE SAVEPOINT "+savepoint)
}

// ofTransaction says whether the error ends the whole transaction, and not only what was being done in it.
func ofTransaction(err error) bool {
	return errors.Is(err, errAgain) || repeatable(err) || lost(err) || full(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
