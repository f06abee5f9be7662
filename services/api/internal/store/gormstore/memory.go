package gormstore

import (
	"sync"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// maxRemembered bounds how many rows are remembered.
const maxRemembered = 10_000

// memory keeps instances' rows that were read or written, where no other program writes them: on SQLite a read costs
// more than all else that a GET does, and a fifth of a write. It never shows what the database would not: rows that a
// transaction changes are forgotten before its COMMIT, and nothing is remembered until after it.
type memory struct {
	mu   sync.RWMutex
	rows map[string]*remembered
	// followed is who follows whom among all living instances; nil while that is not known.
	followed *following
	// changes counts the COMMITs that began and those that ended, so it is odd while one runs.
	changes uint64
}

// remembered is a row with what callers see of it, which is made once and shared: nobody changes what a store answers.
type remembered struct {
	instanceRow
	shown func() (store.Instance, error)
}

func remember(row instanceRow) *remembered {
	r := &remembered{instanceRow: row}
	r.shown = sync.OnceValues(r.instance)
	return r
}

// written are instances' rows as a transaction leaves them.
type written map[string]instanceRow

func newMemory() *memory { return &memory{rows: map[string]*remembered{}} }

// get answers with a remembered row, or reads it.
func (m *memory) get(id string, read func() (instanceRow, error)) (*remembered, error) {
	m.mu.RLock()
	known := m.rows[id]
	before := m.changes
	m.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	found, err := read()
	if err != nil {
		return nil, err
	}
	row := remember(found)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes == before && before%2 == 0 {
		m.keep(id, row)
	}
	return row, nil
}

// following is who follows whom: most instances nobody, so that all fits.
type following struct {
	source   map[string]string
	replicas map[string][]string
}

func newFollowing(rows []instanceRow) *following {
	f := &following{source: map[string]string{}, replicas: map[string][]string{}}
	for _, row := range rows {
		f.source[row.ID] = row.ReplicaOf
		f.replicas[row.ReplicaOf] = append(f.replicas[row.ReplicaOf], row.ID)
	}
	return f
}

// following answers with what is remembered, or reads it.
func (m *memory) following(read func() ([]instanceRow, error)) (*following, error) {
	m.mu.RLock()
	known := m.followed
	before := m.changes
	m.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	rows, err := read()
	if err != nil {
		return nil, err
	}
	found := newFollowing(rows)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes == before && before%2 == 0 {
		m.followed = found
	}
	return found, nil
}

// changedBy says whether rows as they are written change who follows whom.
func (f *following) changedBy(rows written) bool {
	for id, row := range rows {
		now := row.ReplicaOf
		if row.Deleted != nil {
			now = ""
		}
		if f.source[id] != now {
			return true
		}
	}
	return false
}

// recall answers with a remembered row. For the one goroutine that writes it is the row as it stands.
func (m *memory) recall(id string) (instanceRow, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if known := m.rows[id]; known != nil {
		return known.instanceRow, true
	}
	return instanceRow{}, false
}

func (m *memory) keep(id string, row *remembered) {
	if len(m.rows) >= maxRemembered {
		clear(m.rows)
	}
	m.rows[id] = row
}

// committing forgets rows that are about to change; the caller calls committed whatever becomes of the COMMIT.
func (m *memory) committing(rows written) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	for id := range rows {
		delete(m.rows, id)
	}
	if m.followed != nil && m.followed.changedBy(rows) {
		m.followed = nil
	}
}

// committed remembers what was written; nothing when it is not certain that it was.
func (m *memory) committed(rows written) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	for id, row := range rows {
		if row.Deleted == nil {
			m.keep(id, remember(row))
		}
	}
}
