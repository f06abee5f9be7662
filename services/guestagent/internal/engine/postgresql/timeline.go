package postgresql

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// history is where a server's timelines ended, oldest first, and the one that it is on.
type history struct {
	ended   []position
	current uint32
}

// parseHistory reads a timeline history file: a line for each former timeline, with its number and where it ended.
func parseHistory(current uint32, text string) (history, error) {
	h := history{current: current}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		timeline, err := strconv.ParseUint(fields[0], 10, 32)
		if err != nil {
			return h, fmt.Errorf("read the history of timeline %d: %w", current, err)
		}
		end, err := parseLSN(fields[1])
		if err != nil {
			return h, fmt.Errorf("read the history of timeline %d: %w", current, err)
		}
		h.ended = append(h.ended, position{uint32(timeline), end})
	}
	return h, nil
}

// timelineAt is the timeline of what was written just before a place.
func (h history) timelineAt(at lsn) uint32 {
	for _, end := range h.ended {
		if at <= end.at {
			return end.timeline
		}
	}
	return h.current
}

// holds says whether a server with this history, which goes up to a place, began with all that goes up to p.
func (h history) holds(p position, upTo lsn) bool {
	if p.timeline == h.current {
		return p.at <= upTo
	}
	at := slices.IndexFunc(h.ended, func(end position) bool { return end.timeline == p.timeline })
	return at >= 0 && p.at <= h.ended[at].at
}

// began is where the current timeline branched off.
func (h history) began() position {
	if len(h.ended) == 0 {
		return position{timeline: h.current}
	}
	return position{h.current, h.ended[len(h.ended)-1].at}
}

// localHistory is the newest one that the server knows; of timeline 1 there is no file.
func (e *Engine) localHistory() (history, error) {
	names, err := filepath.Glob(filepath.Join(e.dataDir(), "pg_wal", "????????.history"))
	if err != nil {
		return history{}, err
	}
	if len(names) == 0 {
		return history{current: 1}, nil
	}
	newest := slices.Max(names)
	timeline, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(newest), ".history"), 16, 32)
	if err != nil {
		return history{}, fmt.Errorf("read the name of %s: %w", newest, err)
	}
	text, err := os.ReadFile(newest)
	if errors.Is(err, fs.ErrNotExist) {
		return e.localHistory() // it was replaced meanwhile
	}
	if err != nil {
		return history{}, err
	}
	return parseHistory(uint32(timeline), string(text))
}
