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

// post writes messages to SQLite's outbox, in as few statements as can be.
func post(db *gorm.DB, messages []outboxRow) error {
	for some := range slices.Chunk(messages, maxInsert) {
		values := make([]any, 0, 3*len(some))
		for i := range some {
			values = append(values, some[i].Subject, some[i].MessageID, some[i].Payload)
		}
		marks := strings.Repeat(messageMarks+", ", len(some)-1) + messageMarks
		if err := exec(db, insertMessages+marks, values...); err != nil {
			return err
		}
	}
	return nil
}

// Pending are the oldest messages not yet sent.
func (s *Store) Pending(ctx context.Context, limit int) ([]store.OutboxMessage, error) {
	// Taken before the rows are read: what is deleted meanwhile may still be among them.
	sent := s.sent.all()
	rows, err := outbox.find(s.reading(ctx), "id > 0 ORDER BY id LIMIT ?", limit+len(sent))
	if err != nil {
		return nil, translate("read the outbox", err)
	}
	pending := make([]store.OutboxMessage, 0, len(rows))
	for _, row := range rows {
		if _, is := slices.BinarySearch(sent, row.ID); !is {
			pending = append(pending, store.OutboxMessage(row))
		}
	}
	return pending[:min(limit, len(pending))], nil
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
