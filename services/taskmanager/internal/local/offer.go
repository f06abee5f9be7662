package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
)

// offer is a database server that was found, and the place whose programs it is.
type offer struct {
	manager string
	version string
	at      place
}

// String is for logs and errors.
func (o offer) String() string { return fmt.Sprintf("%s %s %s", o.manager, o.version, o.at) }

// offers are the database servers of the host and of its root folders. Of each series there is one, the first that is
// found: a datastore version's name is its series.
type offers struct {
	// places are looked through in this order.
	places []place

	mu sync.Mutex
	// latest is what was found when it was looked for last, by manager.
	latest map[string][]offer
}

// look finds all there are. A server that is there but broken, or has no name left, is an error of its own, told and left
// out, so that it does not take the others with it.
func (o *offers) look(ctx context.Context) ([]offer, error) {
	var all []offer
	var faults []error
	for _, kind := range dbserver.Kinds {
		found, err := o.of(ctx, kind)
		all, faults = append(all, found...), append(faults, err)
	}
	for _, at := range o.places {
		has := func(found offer) bool { return found.at == at }
		if at.root != "" && !slices.ContainsFunc(all, has) && errors.Join(faults...) == nil {
			faults = append(faults, fmt.Errorf("there is no database server %s", at))
		}
	}
	return all, errors.Join(faults...)
}

// of finds those of one engine, and the faults of the others.
func (o *offers) of(ctx context.Context, kind dbserver.Kind) ([]offer, error) {
	var found []offer
	var faults []error
	for _, at := range o.places {
		versions, err := at.installed(ctx, kind)
		if err != nil && !errors.Is(err, errNoEngine) {
			faults = append(faults, err)
		}
		for _, version := range versions {
			one := offer{kind.Manager, version, at}
			same := slices.IndexFunc(found, func(other offer) bool { return dbserver.Series(other.version) == dbserver.Series(version) })
			if same < 0 {
				found = append(found, one)
			} else {
				faults = append(faults, fmt.Errorf("%s is left out, beside %s", one, found[same]))
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.latest == nil {
		o.latest = map[string][]offer{}
	}
	o.latest[kind.Manager] = found
	return found, errors.Join(faults...)
}

// place says where an exact version was when it was looked for last.
func (o *offers) place(manager, version string) (at place, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, found := range o.latest[manager] {
		if found.version == version {
			return found.at, true
		}
	}
	return place{}, false
}
