package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// walkMoves is how many things are done to a set in one walk.
	walkMoves = 8
	// walkMembers is how large the set may become.
	walkMembers = 3
	// walkPause is the longest time between a move's order and the kill: a random instant is the point of it.
	walkPause = 300 * time.Millisecond
	// seedsVariable names the environment variable with seeds to take instead of the fixed ones.
	seedsVariable = "COFFER_E2E_SEEDS"
)

// fixedWalks are the seeds of every run: together they have every move under every kill, and each engine has every move
// and every kill.
var fixedWalks = map[string][]uint64{mariadb.name: {42, 7925}, postgresql.name: {119, 29490}}

// move is what is done to a set, and kill what is killed meanwhile.
type (
	move string
	kill string
)

const (
	grow    move = "grow"
	promote move = "promote"
	eject   move = "eject"
	detach  move = "detach"
	shrink  move = "shrink"

	nothing      kill = "nothing"
	controlPlane kill = "the control plane"
	agent        kill = "an agent"
	database     kill = "a database"
)

var (
	moves = []move{grow, promote, eject, detach, shrink}
	kills = []kill{nothing, controlPlane, agent, database}
)

// stride is one move of a walk. The replica that it is about, and the member whose agent or database is killed, are counted
// by age, and modulo how many there are.
type stride struct {
	move            move
	kill            kill
	replica, victim int
	// after is when the kill comes.
	after time.Duration
}

// walkOf is the walk of a seed.
func walkOf(seed uint64) []stride {
	rng := rand.New(rand.NewPCG(seed, 0))
	var walk []stride
	for size := 1; len(walk) < walkMoves; {
		s := stride{
			move: moves[rng.IntN(len(moves))], kill: kills[rng.IntN(len(kills))],
			replica: rng.IntN(walkMembers), victim: rng.IntN(walkMembers), after: time.Duration(rng.Int64N(int64(walkPause))),
		}
		switch {
		case size == 1:
			s.move = grow
		case size == walkMembers && s.move == grow:
			s.move = promote
		}
		switch s.move {
		case grow:
			size++
		case eject, detach, shrink:
			size--
		case promote:
		}
		walk = append(walk, s)
	}
	return walk
}

// seedsOf are the seeds of an engine's walks.
func seedsOf(t *testing.T, d datastore) []uint64 {
	t.Helper()
	if given := givenSeeds(t); len(given) > 0 {
		return given
	}
	return fixedWalks[d.name]
}

// givenSeeds are those of the environment.
func givenSeeds(t *testing.T) (given []uint64) {
	t.Helper()
	for text := range strings.FieldsSeq(os.Getenv(seedsVariable)) {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedsVariable)
		given = append(given, seed)
	}
	return given
}

func TestTheFixedWalksHaveEveryMoveUnderEveryKill(t *testing.T) {
	pairs := map[string]bool{}
	for engine, seeds := range fixedWalks {
		made, struck := map[move]bool{}, map[kill]bool{}
		for _, seed := range seeds {
			for _, s := range walkOf(seed) {
				made[s.move], struck[s.kill] = true, true
				pairs[fmt.Sprint(s.move, " while ", s.kill, " is killed")] = true
			}
		}
		assert.Len(t, made, len(moves), "%s: %v", engine, made)
		assert.Len(t, struck, len(kills), "%s: %v", engine, struck)
	}
	for _, move := range moves {
		for _, kill := range kills {
			pair := fmt.Sprint(move, " while ", kill, " is killed")
			assert.True(t, pairs[pair], pair)
		}
	}
}
