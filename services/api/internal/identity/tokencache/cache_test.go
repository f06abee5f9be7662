package tokencache

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

const recheck = 5 * time.Second

// looker counts how often it is asked.
type looker struct {
	asked atomic.Int32
	err   error
	until time.Time
	// during runs while it looks.
	during func(context.Context)
}

func (l *looker) look(ctx context.Context) (identity.Caller, time.Time, error) {
	l.asked.Add(1)
	if l.during != nil {
		l.during(ctx)
	}
	return identity.Caller{UserID: "u"}, l.until, l.err
}

func TestATokenIsLookedUpOncePerRecheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := New(recheck, time.Now), &looker{until: time.Now().Add(time.Hour)}
		for range 100 {
			caller, err := c.Find(t.Context(), "token", l.look)
			require.NoError(t, err)
			assert.Equal(t, "u", caller.UserID)
		}
		assert.EqualValues(t, 1, l.asked.Load())
		time.Sleep(recheck)
		_, err := c.Find(t.Context(), "token", l.look)
		require.NoError(t, err)
		assert.EqualValues(t, 2, l.asked.Load())
	})
}

func TestNothingIsBelievedBeyondItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := New(recheck, time.Now), &looker{until: time.Now().Add(time.Second)}
		_, err := c.Find(t.Context(), "token", l.look)
		require.NoError(t, err)
		time.Sleep(time.Second)
		l.err = identity.ErrUnauthenticated
		_, err = c.Find(t.Context(), "token", l.look)
		assert.ErrorIs(t, err, identity.ErrUnauthenticated)
	})
}

func TestAnAnswerIsAsOldAsItsQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := New(recheck, time.Now), &looker{until: time.Now().Add(time.Hour)}
		l.during = func(context.Context) { time.Sleep(recheck - time.Second) }
		_, err := c.Find(t.Context(), "token", l.look)
		require.NoError(t, err)
		time.Sleep(time.Second)
		_, err = c.Find(t.Context(), "token", l.look)
		require.NoError(t, err)
		assert.EqualValues(t, 2, l.asked.Load())
	})
}

func TestARefusalIsNotRemembered(t *testing.T) {
	c, l := New(recheck, time.Now), &looker{err: errors.New("away"), until: time.Now().Add(time.Hour)}
	_, err := c.Find(t.Context(), "token", l.look)
	require.EqualError(t, err, "away")
	l.err = nil
	_, err = c.Find(t.Context(), "token", l.look)
	require.NoError(t, err)
}

func TestCallsThatMissTogetherShareALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := New(recheck, time.Now), &looker{until: time.Now().Add(time.Hour)}
		answer := make(chan struct{})
		l.during = func(context.Context) { <-answer }
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				_, err := c.Find(t.Context(), "token", l.look)
				assert.NoError(t, err)
			})
		}
		synctest.Wait()
		close(answer)
		calls.Wait()
		assert.EqualValues(t, 1, l.asked.Load())
	})
}

func TestALookOutlivesTheCallThatBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := New(recheck, time.Now), &looker{until: time.Now().Add(time.Hour)}
		given, giveUp := context.WithCancel(t.Context())
		l.during = func(ctx context.Context) {
			giveUp()
			deadline, bounded := ctx.Deadline()
			assert.True(t, bounded)
			assert.Equal(t, time.Now().Add(lookLimit), deadline)
			assert.NoError(t, ctx.Err())
		}
		_, err := c.Find(given, "token", l.look)
		require.NoError(t, err)
	})
}

func TestARevocationBeatsALookThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, slow := New(recheck, time.Now), &looker{until: time.Now().Add(time.Hour)}
		answer := make(chan struct{})
		slow.during = func(context.Context) { <-answer }
		var early sync.WaitGroup
		early.Go(func() {
			_, err := c.Find(t.Context(), "token", slow.look)
			assert.NoError(t, err, "this call began before the revocation")
		})
		synctest.Wait()
		c.Drop("token")
		refusing := &looker{err: identity.ErrUnauthenticated}
		_, err := c.Find(t.Context(), "token", refusing.look)
		require.ErrorIs(t, err, identity.ErrUnauthenticated, "this one after it, and joins no older look")
		close(answer)
		early.Wait()
		_, err = c.Find(t.Context(), "token", refusing.look)
		assert.ErrorIs(t, err, identity.ErrUnauthenticated)
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	c, l := New(time.Minute, time.Now), &looker{until: time.Now().Add(time.Hour)}
	for i := range size + 100 {
		_, err := c.Find(t.Context(), strconv.Itoa(i), l.look)
		require.NoError(t, err)
	}
	assert.Len(t, c.entries, size)
}
