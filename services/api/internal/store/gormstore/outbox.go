package gormstore

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	// insertMessages leaves the numbers to the database.
	insertMessages = "INSERT INTO outbox (subject, message_id, payload) VALUES "
	messageMarks   = "(?, ?, ?)"
	// maxInsert bounds the messages of a statement, and with it the number of statements.
	maxInsert = 8
)

// post writes the unit's messages: in one round trip where there are any.
func (u *unit) post() error {
	if len(u.messages) == 0 {
		return nil
	}
	if u.shared {
		return u.db.Create(&u.messages).Error
	}
	for some := range slices.Chunk(u.messages, maxInsert) {
		values := make([]any, 0, 3*len(some))
		for i := range some {
			values = append(values, some[i].Subject, some[i].MessageID, some[i].Payload)
		}
		marks := strings.Repeat(messageMarks+", ", len(some)-1) + messageMarks
		if err := exec(u.db, insertMessages+marks, values...); err != nil {
			return err
		}
	}
	return nil
}

// Pending are the oldest messages not yet sent.
func (s *Store) Pending(ctx context.Context, limit int) ([]store.OutboxMessage, error) {
	// Taken before the rows are read: what is deleted meanwhile may still be among them.
	sent := s.sent.all()
	var rows []outboxRow
	if err := s.reading(ctx).Order("id").Limit(limit + len(sent)).Find(&rows).Error; err != nil {
		return nil, translate("read the outbox", err)
	}
	messages := make([]store.OutboxMessage, 0, len(rows))
	for _, row := range rows {
		if _, is := slices.BinarySearch(sent, row.ID); !is {
			messages = append(messages, store.OutboxMessage(row))
		}
	}
	return messages[:min(limit, len(messages))], nil
}

// Sent forgets messages that NATS acknowledged.
func (s *Store) Sent(ctx context.Context, ids []int64) error {
	if s.sent != nil {
		s.sent.add(ids)
		return nil
	}
	if len(ids) == 0 {
		return nil
	}
	return s.writer.write(ctx, "clear the outbox", func(u *unit) error { return deleteMessages(u.db, ids) })
}

func deleteMessages(db *gorm.DB, ids []int64) error {
	for _, run := range consecutive(ids) {
		if err := exec(db, "DELETE FROM outbox WHERE id >= ? AND id <= ?", run.first, run.last); err != nil {
			return err
		}
	}
	return nil
}

// Committed fires after a commit that wrote to the outbox.
func (s *Store) Committed() <-chan struct{} { return s.committed }

type idRange struct{ first, last int64 }

// consecutive folds ids into ranges: they mostly follow one another, and one statement then serves any number.
func consecutive(ids []int64) []idRange {
	var ranges []idRange
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if last := len(ranges) - 1; last >= 0 && id <= ranges[last].last+1 {
			ranges[last].last = id
			continue
		}
		ranges = append(ranges, idRange{id, id})
	}
	return ranges
}
