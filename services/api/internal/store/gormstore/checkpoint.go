package gormstore

import (
	"time"

	"gorm.io/gorm"
)

const (
	// checkpointAfter is how many transactions there are at least between two checkpoints.
	checkpointAfter = 100
	// checkpointPause is how long nobody must have written before one is made.
	checkpointPause = 20 * time.Millisecond
	// longestLog is after how many pages of 4 KiB SQLite makes one by itself, in the middle of a commit.
	longestLog = 4000
)

// checkpoints fold SQLite's log into the database while nobody writes. SQLite on its own does so in the commit that made
// the log long, and whoever waits for that commit waits some ten milliseconds more.
type checkpoints struct {
	// since are the transactions since the last one.
	since int
}

// due fires after a pause in the writing, where one is to be made then.
func (c *checkpoints) due() <-chan time.Time {
	if c.since < checkpointAfter {
		return nil
	}
	return time.After(checkpointPause)
}

func (c *checkpoints) make(db *gorm.DB) error {
	c.since = 0
	return exec(db, "PRAGMA wal_checkpoint(PASSIVE)")
}
