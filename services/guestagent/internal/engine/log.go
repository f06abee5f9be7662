package engine

import (
	"io"
	"iter"
	"os"
	"strings"
	"sync/atomic"
)

// firstWords is how much of the log of a start is looked at.
const firstWords = 64 << 10

// Log is a database's log file, of which the words since the latest start count.
type Log struct {
	// Path is absolute.
	Path  string
	began atomic.Int64
}

// Begin notes that a start follows.
func (l *Log) Begin() {
	if info, err := os.Stat(l.Path); err == nil {
		l.began.Store(info.Size())
	}
}

// Lines are the first lines since Begin; none when the file cannot be read.
func (l *Log) Lines() iter.Seq[string] {
	log, err := os.Open(l.Path)
	if err != nil {
		return func(func(string) bool) {}
	}
	defer log.Close()
	text, err := io.ReadAll(io.NewSectionReader(log, l.began.Load(), firstWords))
	if err != nil {
		return func(func(string) bool) {}
	}
	return strings.Lines(string(text))
}
