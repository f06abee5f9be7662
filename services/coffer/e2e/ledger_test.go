package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	pace "golang.org/x/time/rate"
)

const (
	// ledgerRate is how many rows a second the writers of a ledger commit together, while they can.
	ledgerRate = 300
	// ledgerWriters is how many clients write.
	ledgerWriters = 10
	// ledgerPause is how long a writer that was refused waits before it tries the other address.
	ledgerPause = 5 * time.Millisecond
	// ledgerPatience bounds one attempt to write: an address may have gone silent.
	ledgerPatience = time.Second
)

// ledger writes numbered rows to whichever of the addresses accepts them, as clients do that know no more than these. A
// number that was not acknowledged is never tried again, since it may have been written.
type ledger struct {
	t      testing.TB
	stop   context.CancelFunc
	done   sync.WaitGroup
	limit  *pace.Limiter
	params string

	mu           sync.Mutex
	number       int64
	acknowledged map[int64]acknowledgement
}

// acknowledgement is when, and by which of the addresses, a row was.
type acknowledgement struct {
	at time.Time
	by int
}

// newLedger makes the table at the source and begins to write.
func newLedger(t testing.TB, source machine, others ...machine) *ledger {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &ledger{
		t: t, stop: stop, limit: pace.NewLimiter(ledgerRate, 1), params: source.datastore.parameter, acknowledged: map[int64]acknowledgement{},
	}
	_, err := source.open().ExecContext(ctx, "CREATE TABLE ledger (entry "+source.datastore.serial+", number BIGINT NOT NULL)")
	require.NoError(t, err)
	machines := append([]machine{source}, others...)
	for range ledgerWriters {
		l.done.Go(func() { l.write(ctx, machines) })
	}
	t.Cleanup(func() { l.end() })
	return l
}

func (l *ledger) write(ctx context.Context, machines []machine) {
	var accounts []*sql.DB
	for _, m := range machines {
		db := m.connect()
		db.SetMaxOpenConns(1)
		defer func() { _ = db.Close() }() // the test is over
		accounts = append(accounts, db)
	}
	at := 0
	for l.limit.Wait(ctx) == nil {
		number := l.next()
		if err := l.insert(ctx, accounts[at], number); err == nil {
			l.acknowledge(number, at)
			continue
		}
		at = (at + 1) % len(accounts)
		select {
		case <-ctx.Done():
		case <-time.After(ledgerPause):
		}
	}
}

func (l *ledger) insert(ctx context.Context, db *sql.DB, number int64) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	_, err := db.ExecContext(ctx, "INSERT INTO ledger (number) VALUES ("+l.params+")", number)
	return err
}

func (l *ledger) next() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	return l.number
}

func (l *ledger) acknowledge(number int64, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[number] = acknowledgement{time.Now(), by}
}

// awaitGrowth waits until more rows have been acknowledged than now.
func (l *ledger) awaitGrowth(rows int) {
	l.t.Helper()
	l.mu.Lock()
	wanted := len(l.acknowledged) + rows
	l.mu.Unlock()
	within(l.t, fmt.Sprintf("%d more rows to be acknowledged", rows), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acknowledged) >= wanted
	})
}

// gap is the longest time between two acknowledgements after an instant, that from the instant to the first included.
func (l *ledger) gap(since time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := []time.Time{since}
	for _, row := range l.acknowledged {
		if row.at.After(since) {
			times = append(times, row.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	longest := time.Duration(0)
	for i := range len(times) - 1 {
		longest = max(longest, times[i+1].Sub(times[i]))
	}
	return longest
}

// end stops the writers.
func (l *ledger) end() {
	l.stop()
	l.done.Wait()
}

// audit compares what is in a database with what was acknowledged: the missing numbers, and those that are there twice.
func (l *ledger) audit(m machine) (missing, twice []int64) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rows, err := m.open().QueryContext(ctx, "SELECT number FROM ledger")
	require.NoError(l.t, err)
	defer func() { require.NoError(l.t, rows.Close()) }()
	found := map[int64]int{}
	for rows.Next() {
		var number int64
		require.NoError(l.t, rows.Scan(&number))
		found[number]++
	}
	require.NoError(l.t, rows.Err())
	for number, times := range found {
		if times > 1 {
			twice = append(twice, number)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for number := range l.acknowledged {
		if found[number] == 0 {
			missing = append(missing, number)
		}
	}
	slices.Sort(missing)
	slices.Sort(twice)
	return missing, twice
}

// assertTail checks that what was lost is the end of what the first address acknowledged: no row of another is lost, and
// of the first not more are there that are younger than a lost one than could have been on the way at once.
func (l *ledger) assertTail(lost []int64) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(lost) == 0 {
		return
	}
	first := l.acknowledged[lost[0]].at
	for _, number := range lost {
		row := l.acknowledged[number]
		require.Zero(l.t, row.by, "row %d was acknowledged by a replica that was elected, and lost", number)
		if row.at.Before(first) {
			first = row.at
		}
	}
	younger := 0
	for number, row := range l.acknowledged {
		if row.by == 0 && row.at.After(first) && !slices.Contains(lost, number) {
			younger++
		}
	}
	require.LessOrEqual(l.t, younger, ledgerWriters, "rows are missing in between")
}
