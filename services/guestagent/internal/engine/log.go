package engine

import (
	"io"
	"iter"
	"os"
	"strings"
	"sync/atomic"
)

// firstWords is how much of the log is looked at.
const firstWords = 64 << 10

// Log is a database's log file, of which the words since the latest start count.
type Log struct {
	// Path is absolute.
	Path  string
	began atomic.Int64
}

// Begin notes that a start follows.
func (l *Log) Begin() { l.began.Store(l.Size()) }

// Size is how long it is now; 0 where there is none.
func (l *Log) Size() int64 {
	info, err := os.Stat(l.Path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Since is what it says from a place on, or the beginning of that; empty when the file cannot be read. A log that was cut
// short meanwhile is read from its beginning.
func (l *Log) Since(from int64) string {
	log, err := os.Open(l.Path)
	if err != nil {
		return ""
	}
	defer log.Close()
	if from < 0 || from > l.Size() {
		from = 0
	}
	text, err := io.ReadAll(io.NewSectionReader(log, from, firstWords))
	if err != nil {
		return ""
	}
	return string(text)
}

// Lines are the first lines since Begin; none when the file cannot be read.
func (l *Log) Lines() iter.Seq[string] {
	return strings.Lines(l.Since(l.began.Load()))
}
