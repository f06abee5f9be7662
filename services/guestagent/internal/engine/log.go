package engine

import (
	"io"
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

// Complaints are the first two since Begin: lines of which complaint, given each, takes what is wrong. Those that follow
// are their consequences. It is empty when there is none, or the file cannot be read.
func (l *Log) Complaints(complaint func(line string) (message string, is bool)) string {
	var said []string
	for line := range strings.Lines(l.Since(l.began.Load())) {
		if message, is := complaint(line); is && len(said) < 2 {
			said = append(said, message)
		}
	}
	return strings.Join(said, "; ")
}
