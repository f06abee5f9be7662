package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// promotions is how often the source moves under a ledger.
const promotions = 20

// TestNoAcknowledgedRowIsLostWhenReplicasArePromoted moves the source to and fro while clients write.
func TestNoAcknowledgedRowIsLostWhenReplicasArePromoted(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s := startServe(t, newDataDir(t))
		user := s.signIn("coffer")
		set := user.withReplicas(d, 1)
		book := newLedger(t, s.machine(set[0]), s.machine(set[1]))
		book.awaitGrowth(ledgerRate / 10)
		var gaps []time.Duration
		for i := range promotions {
			began := time.Now()
			user.promote(set[(i+1)%2].ID)
			book.awaitGrowth(ledgerRate / 10)
			gaps = append(gaps, book.gap(began))
		}
		book.end()
		source := set[promotions%2]
		missing, twice := book.audit(s.machine(source))
		assert.Empty(t, missing, "acknowledged and lost")
		assert.Empty(t, twice, "written twice")
		t.Logf("%s: %d promotions under %d rows/s: write gap median %s, longest %s; %d rows",
			d.name, promotions, ledgerRate, median(gaps), percentile(gaps, 100), len(book.acknowledged))
		user.assertSet(source.ID, set[(promotions+1)%2].ID)
	})
}
