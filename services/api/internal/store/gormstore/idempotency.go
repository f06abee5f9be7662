package gormstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// idempotencyLife is how long a caller's key is remembered.
const idempotencyLife = 24 * time.Hour

// known is what is remembered of the key; nil when it was not used yet.
func (u *unit) known(key *store.Idempotency) (*idempotencyRow, error) {
	if key == nil {
		return nil, nil
	}
	query := u.db.Where("project_id = ? AND idempotency_key = ? AND expires > ?", key.ProjectID, key.Key, u.now.UnixMicro())
	if u.shared {
		// A batch writes over what it has remembered; two calls of one batch must not do so at once.
		query = query.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	row := &idempotencyRow{}
	err := query.Take(row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(row.Fingerprint, key.Fingerprint) {
		return nil, store.ErrIdempotencyMismatch
	}
	return row, nil
}

// earlier is the task that was accepted under the key; nil when none was.
func (u *unit) earlier(key *store.Idempotency) (*taskRow, error) {
	known, err := u.known(key)
	if err != nil || known == nil {
		return nil, err
	}
	if known.TaskID == nil {
		return nil, store.ErrIdempotencyMismatch
	}
	task := &taskRow{}
	return task, tasks.take(u.db, task, "id = ?", *known.TaskID)
}

// remember keeps the key of a call that made the task for its life.
func (u *unit) remember(key *store.Idempotency, taskID string) error {
	return u.keep(key, &idempotencyRow{TaskID: &taskID})
}

// keep writes a key that is not known. Where two calls with one key meet, the second finds the first's on its next run.
func (u *unit) keep(key *store.Idempotency, row *idempotencyRow) error {
	if key == nil {
		return nil
	}
	err := u.db.Where("project_id = ? AND idempotency_key = ? AND expires <= ?", key.ProjectID, key.Key, u.now.UnixMicro()).
		Delete(&idempotencyRow{}).Error
	if err != nil {
		return err
	}
	row.ProjectID, row.IdempotencyKey, row.Fingerprint = key.ProjectID, key.Key, key.Fingerprint
	row.Expires = u.now.Add(idempotencyLife).UnixMicro()
	err = u.db.Create(row).Error
	if duplicated(err) {
		return errAgain
	}
	return err
}

// outcomeJSON is the outcome of one acceptance of a batch: its task, or why it was refused.
type outcomeJSON struct {
	TaskID   string    `json:"task_id,omitempty"`
	Kind     errs.Kind `json:"kind,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Sentence string    `json:"sentence,omitempty"`
}

// outcomes are those remembered under the key of a batch; none when it was not used yet.
func (u *unit) outcomes(key *store.Idempotency) ([]store.Outcome, error) {
	known, err := u.known(key)
	if err != nil || known == nil {
		return nil, err
	}
	var written []outcomeJSON
	if err := json.Unmarshal([]byte(known.Outcomes), &written); err != nil {
		return nil, fmt.Errorf("read the outcomes of a batch: %w", err)
	}
	outcomes := make([]store.Outcome, len(written))
	for i, o := range written {
		if o.TaskID == "" {
			outcomes[i].Err = errs.New(o.Kind, o.Reason, "%s", o.Sentence)
			continue
		}
		task := &taskRow{}
		outcomes[i].Accepted, err = u.repeat(task, tasks.take(u.db, task, "id = ?", o.TaskID))
		if err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// rememberOutcomes keeps the outcomes in place of those before, of which there were so many.
func (u *unit) rememberOutcomes(key *store.Idempotency, outcomes []store.Outcome, before int) error {
	if key == nil {
		return nil
	}
	written := make([]outcomeJSON, len(outcomes))
	for i, o := range outcomes {
		if o.Err == nil {
			written[i].TaskID = o.Task.ID
			continue
		}
		refused := errs.From(o.Err)
		written[i] = outcomeJSON{Kind: refused.Kind, Reason: refused.Reason, Sentence: refused.Sentence}
	}
	text, err := json.Marshal(written)
	if err != nil {
		return fmt.Errorf("write the outcomes of a batch: %w", err)
	}
	if before == 0 {
		return u.keep(key, &idempotencyRow{Outcomes: string(text)})
	}
	return u.db.Model(&idempotencyRow{}).Where("project_id = ? AND idempotency_key = ?", key.ProjectID, key.Key).
		Update("outcomes", string(text)).Error
}
