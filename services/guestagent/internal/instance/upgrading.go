package instance

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// phase is how far an upgrade is. The order counts.
//
//	       PrepareUpgrade             UpgradeDatabase                       FinishUpgrade
//	none ──> preparing ──> prepared ──> converting ──> starting ──> converted ──> none
//	              │            │            │             │             │
//	              └────────────┴──── RevertUpgrade ───────┴─────────────┘
//
// Up to prepared the data are the former version's; from converting on they may be anything, and the clone is the way
// back. No database starts before starting, and none accepts writes before the upgrade is over: what the new version
// had acknowledged, a way back would lose.
type phase string

const (
	none       phase = ""
	preparing  phase = "preparing"
	prepared   phase = "prepared"
	converting phase = "converting"
	starting   phase = "starting"
	converted  phase = "converted"
)

// upgradeState is an upgrade that is under way, on disk.
type upgradeState struct {
	// From and To are exact versions.
	From  string `json:"from"`
	To    string `json:"to"`
	Phase phase  `json:"phase"`
}

// touched says that the data may no longer be the former version's.
func (s upgradeState) touched() bool {
	return s.Phase == converting || s.Phase == starting || s.Phase == converted
}

// mayStart says whether a database may be started.
func (s upgradeState) mayStart() bool {
	return s.Phase == none || s.Phase == starting || s.Phase == converted
}

// upgrading keeps the state.
type upgrading struct {
	path string

	mu  sync.Mutex
	now upgradeState
}

func openUpgrading(folder string) (*upgrading, error) {
	u := &upgrading{path: filepath.Join(folder, "upgrade.json")}
	if err := durable.ReadJSON(u.path, &u.now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return u, nil
}

func (u *upgrading) state() upgradeState {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now
}

// become writes the state before it counts.
func (u *upgrading) become(next upgradeState) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if next.Phase != none {
		if err := durable.WriteJSON(u.path, next); err != nil {
			return err
		}
		u.now = next
		return nil
	}
	if err := os.Remove(u.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := durable.SyncFolder(filepath.Dir(u.path)); err != nil {
		return err
	}
	u.now = upgradeState{}
	return nil
}
