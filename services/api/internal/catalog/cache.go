package catalog

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ErrUnknown is the answer until a provider has registered.
var ErrUnknown = errs.New(errs.Unavailable, "PROVIDER_UNKNOWN",
	"No provider has registered what it offers yet; try again in a moment.")

// maxAge is how long a registration at another api may go unnoticed.
const maxAge = 5 * time.Second

// Cache keeps the catalogue in memory and reads it again when it has become old.
type Cache struct {
	store  store.Catalogs
	latest atomic.Pointer[entry]
	// reading lets one caller read while the others go on with what there is.
	reading sync.Mutex
}

type entry struct {
	catalog *Catalog
	read    time.Time
}

// NewCache makes an empty cache.
func NewCache(catalogs store.Catalogs) *Cache { return &Cache{store: catalogs} }

// Get is the catalogue: ErrUnknown until a provider has registered.
func (c *Cache) Get(ctx context.Context) (*Catalog, error) {
	latest := c.latest.Load()
	if latest == nil {
		c.reading.Lock()
		defer c.reading.Unlock()
		if latest = c.latest.Load(); latest != nil {
			return latest.catalog, nil
		}
		return c.read(ctx)
	}
	if time.Since(latest.read) < maxAge || !c.reading.TryLock() {
		return latest.catalog, nil
	}
	defer c.reading.Unlock()
	return c.read(ctx)
}

// Save keeps a registration.
func (c *Cache) Save(ctx context.Context, provider *journalv1.RegisterProviderRequest) error {
	stored, err := c.store.SaveCatalog(ctx, store.Catalog{Provider: provider})
	if err != nil {
		return err
	}
	c.latest.Store(&entry{catalog: New(stored), read: time.Now()})
	return nil
}

func (c *Cache) read(ctx context.Context) (*Catalog, error) {
	stored, err := c.store.Catalog(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	read := &entry{catalog: New(stored), read: time.Now()}
	c.latest.Store(read)
	return read.catalog, nil
}
