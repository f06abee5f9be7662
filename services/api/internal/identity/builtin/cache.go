package builtin

import (
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// cacheSize bounds how many tokens are remembered: about 1 MiB.
const cacheSize = 4096

// cache remembers callers by the hash of their token for a short time.
type cache struct {
	recheck time.Duration

	mu      sync.RWMutex
	entries map[tokenHash]cacheEntry
	// drops counts the revocations, so that a caller who was looked up before one is not remembered after it.
	drops uint64
}

type cacheEntry struct {
	caller  identity.Caller
	recheck time.Time
}

func newCache(recheck time.Duration) *cache {
	return &cache{recheck: recheck, entries: map[tokenHash]cacheEntry{}}
}

// get answers with the caller if they were looked up a short while ago, else with the ticket for put.
func (c *cache) get(hash tokenHash, now time.Time) (caller identity.Caller, ticket uint64, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, found := c.entries[hash]
	if !found || !now.Before(entry.recheck) || !now.Before(entry.caller.Expires) {
		return identity.Caller{}, c.drops, false
	}
	return entry.caller, 0, true
}

// put remembers a caller who was looked up after get gave the ticket, unless a token was revoked meanwhile. When the
// cache is full an arbitrary entry makes room: it costs its owner one query.
func (c *cache) put(hash tokenHash, caller identity.Caller, ticket uint64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ticket != c.drops {
		return
	}
	if _, known := c.entries[hash]; !known && len(c.entries) >= cacheSize {
		for other := range c.entries {
			delete(c.entries, other)
			break
		}
	}
	c.entries[hash] = cacheEntry{caller: caller, recheck: now.Add(c.recheck)}
}

// drop forgets a token.
func (c *cache) drop(hash tokenHash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	delete(c.entries, hash)
}
