package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// ledgerTurns is how often a ledger is begun on either side, and turnPromotions how often the source moves in each:
	// an even number, so that it is back where it was.
	ledgerTurns    = 5
	turnPromotions = 4
	// gapBar is how long writers may be held up, in the middle, at ledgerRate.
	gapBar = 250 * time.Millisecond
)

// BenchmarkPromoteReplica compares for how long the writers of a ledger get nothing acknowledged when a replica is
// promoted, with the same switch by a script, under writers of the same kind, in turns of a few each.
func BenchmarkPromoteReplica(b *testing.B) {
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b))
		user := s.signIn("coffer")
		set := user.withReplicas(d, 1)
		hands := []*byHand{newByHand(b, s, s.machine(set[0])), newByHand(b, s, s.machine(set[0]))}
		hands[0].create()
		hands[1].createReplica(hands[0])
		events := user.follow(b)
		promote := func(at int) {
			events.success(user.act(set[at].ID, map[string]any{"promote_to_replica_source": map[string]any{}}))
		}
		promoteByHand := func(at int) { hands[at].engine.succeed(hands[at], hands[1-at]) }
		var ours, byHand []time.Duration
		for b.Loop() {
			for range ledgerTurns {
				ours = append(ours, writeGaps(b, s.machine(set[0]), s.machine(set[1]), promote)...)
				byHand = append(byHand, writeGaps(b, hands[0].machine(), hands[1].machine(), promoteByHand)...)
			}
		}
		noteRatio(b, "write gap of a promotion, "+d.name, ours, byHand, 2)
		if d.name == mariadb.name {
			gap := median(ours)
			note(b, figure{
				what: "write gap of a promotion at 300 commits per second, " + d.name,
				ours: round(gap), measured: milliseconds(gap), bar: milliseconds(gapBar), unit: "ms",
			})
		}
		hands[1].remove()
		hands[0].remove()
	})
}

// writeGaps lets writers keep a ledger while the source moves to and fro, and answers with how long each move held them
// up. No row that was acknowledged may be missing at the end.
func writeGaps(b *testing.B, source, replica machine, move func(to int)) (gaps []time.Duration) {
	b.Helper()
	book := newLedger(b, source, replica)
	book.awaitGrowth(ledgerRate / 10)
	for i := range turnPromotions {
		began := time.Now()
		move((i + 1) % 2)
		book.awaitGrowth(ledgerRate / 10)
		gaps = append(gaps, book.gap(began))
	}
	book.end()
	missing, twice := book.audit(source)
	require.Empty(b, missing, "acknowledged and lost")
	require.Empty(b, twice, "written twice")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := source.open().ExecContext(ctx, "DROP TABLE ledger")
	require.NoError(b, err)
	return gaps
}
