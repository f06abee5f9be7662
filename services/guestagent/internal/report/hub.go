package report

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
)

// Status is what is known of the database.
type Status struct {
	Service status.Service
	// Message is for people; no secrets.
	Message string
	// PID is 0 when the database does not run.
	PID int
	// Starts counts the starts of the database process since the server was made.
	Starts int64
	// Version is the database's exact version; empty before it is prepared.
	Version string
	Volume  Volume
}

// Volume is the use of the data volume in bytes.
type Volume struct{ Used, Total uint64 }

// Report is a status with its number.
type Report struct {
	Status

	Sequence uint64
}

// kept is how many reports a watcher may lag behind before it misses some.
const kept = 64

// Hub keeps the latest reports of one life of the agent.
type Hub struct {
	// Life names this life of the agent, Began is its start.
	Life  string
	Began time.Time

	mu      sync.Mutex
	reports []Report
	changed chan struct{}
}

// NewHub begins a life with a first report.
func NewHub(first Status) *Hub {
	return &Hub{
		Life: rand.Text(), Began: time.Now(),
		reports: []Report{{Status: first, Sequence: 1}}, changed: make(chan struct{}),
	}
}

// Update changes the status; without a difference nothing is reported.
func (h *Hub) Update(change func(*Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.last().Status
	change(&next)
	if next != h.last().Status {
		h.add(next)
	}
}

// Repeat reports the same status again, as a sign of life.
func (h *Hub) Repeat() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(h.last().Status)
}

// Latest is the newest report.
func (h *Hub) Latest() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last()
}

// After gives the reports behind a sequence, oldest first, and a channel that is closed at the next one.
func (h *Hub) After(sequence uint64) ([]Report, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	from := slices.IndexFunc(h.reports, func(r Report) bool { return r.Sequence > sequence })
	if from < 0 {
		return nil, h.changed
	}
	return slices.Clone(h.reports[from:]), h.changed
}

func (h *Hub) last() Report { return h.reports[len(h.reports)-1] }

func (h *Hub) add(next Status) {
	h.reports = append(h.reports, Report{Status: next, Sequence: h.last().Sequence + 1})
	if len(h.reports) > kept {
		h.reports = slices.Clone(h.reports[len(h.reports)-kept:])
	}
	close(h.changed)
	h.changed = make(chan struct{})
}
