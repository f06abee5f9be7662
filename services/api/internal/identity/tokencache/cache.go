package tokencache

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

const (
	// size bounds how many tokens are remembered: about 1 MiB.
	size = 4096
	// lookLimit bounds one look for who a token stands for. Several calls may be waiting for it, so it does not end with
	// the one that began it.
	lookLimit = 10 * time.Second
)

// Cache remembers callers by the hash of their token.
type Cache struct {
	recheck time.Duration
	now     func() time.Time
	looks   singleflight.Group

	mu      sync.RWMutex
	entries map[tokenHash]entry
	// drops counts the revocations, so that a caller who was looked up before one is not remembered after it.
	drops uint64
}

type tokenHash [sha256.Size]byte

type entry struct {
	caller identity.Caller
	until  time.Time
}

// New makes a cache that believes what it was told for the time of recheck.
func New(recheck time.Duration, now func() time.Time) *Cache {
	return &Cache{recheck: recheck, now: now, entries: map[tokenHash]entry{}}
}

// Look finds out who a token stands for, and until when that can be true.
type Look func(ctx context.Context) (caller identity.Caller, until time.Time, err error)

// Find answers from memory, or looks. Calls that miss the same token at the same time share one look.
func (c *Cache) Find(ctx context.Context, token string, look Look) (identity.Caller, error) {
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if caller, _, ok := c.get(hash); ok {
		return caller, nil
	}
	found, err, _ := c.looks.Do(string(hash[:]), func() (any, error) {
		caller, ticket, ok := c.get(hash)
		if ok {
			return caller, nil
		}
		// What is found is as old as the question.
		believed := c.now().Add(c.recheck)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
		defer cancel()
		caller, until, err := look(ctx)
		if err != nil {
			return nil, err
		}
		if believed.Before(until) {
			until = believed
		}
		c.put(hash, entry{caller: caller, until: until}, ticket)
		return caller, nil
	})
	if err != nil {
		return identity.Caller{}, err
	}
	return found.(identity.Caller), nil //nolint:forcetypeassert // the look above answers with nothing else
}

// Drop forgets a token that was revoked, also where it is being looked for.
func (c *Cache) Drop(token string) {
	hash := tokenHash(sha256.Sum256([]byte(token)))
	c.mu.Lock()
	c.drops++
	delete(c.entries, hash)
	c.mu.Unlock()
	c.looks.Forget(string(hash[:]))
}

// get answers with the caller if they were looked up a short while ago, else with the ticket for put.
func (c *Cache) get(hash tokenHash) (caller identity.Caller, ticket uint64, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, found := c.entries[hash]
	if !found || !c.now().Before(entry.until) {
		return identity.Caller{}, c.drops, false
	}
	return entry.caller, 0, true
}

// put remembers a caller who was looked up after get gave the ticket, unless a token was revoked meanwhile. When the
// cache is full an arbitrary entry makes room: it costs its owner one look.
func (c *Cache) put(hash tokenHash, found entry, ticket uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ticket != c.drops {
		return
	}
	if _, known := c.entries[hash]; !known && len(c.entries) >= size {
		for other := range c.entries {
			delete(c.entries, other)
			break
		}
	}
	c.entries[hash] = found
}
