package e2e_test

import (
	"context"
	"database/sql"
	"maps"
	"sync"
	"time"
)

// probe asks one member to write, all the time.
type probe struct {
	id   string
	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	number int64
	rows   map[int64]bool
	times  []tenure
}

// tenure is a stretch of writes that were acknowledged.
type tenure struct {
	id          string
	first, last time.Time
}

func (p *topology) probe(id string) {
	ctx, stop := context.WithCancel(context.Background())
	pr := &probe{id: id, stop: stop, rows: map[int64]bool{}, number: int64(len(p.probes)+1) << 32}
	p.probes[id] = pr
	m := p.machine(id)
	pr.done.Go(func() { pr.run(ctx, m) })
	p.t.Cleanup(pr.end)
}

func (pr *probe) run(ctx context.Context, m machine) {
	db := m.connect()
	db.SetMaxOpenConns(1)
	defer func() { _ = db.Close() }() // the test is over
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pr.write(ctx, m, db)
	}
}

func (pr *probe) write(ctx context.Context, m machine, db *sql.DB) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	pr.number++
	began := time.Now()
	if _, err := db.ExecContext(ctx, "INSERT INTO ledger (number) VALUES ("+m.datastore.parameter+")", pr.number); err != nil {
		return
	}
	ended := time.Now()
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.rows[pr.number] = true
	pr.times = append(pr.times, tenure{pr.id, began, ended})
}

// taken are the rows that were acknowledged.
func (pr *probe) taken() map[int64]bool {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	return maps.Clone(pr.rows)
}

// recent are the acknowledged writes since the last call.
func (pr *probe) recent() []tenure {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	times := pr.times
	pr.times = nil
	return times
}

func (pr *probe) keep(present map[int64]bool) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	maps.DeleteFunc(pr.rows, func(number int64, _ bool) bool { return !present[number] })
}

// discard forgets what was written since the last look.
func (pr *probe) discard() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.rows, pr.times = map[int64]bool{}, nil
}

func (pr *probe) end() {
	pr.stop()
	pr.done.Wait()
}
