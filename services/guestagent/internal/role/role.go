package role

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Role is what a server is in its set.
type Role string

// The roles. Unset is a server that was never told; it stands alone.
const (
	Unset Role = ""
	// Source may write.
	Source Role = "source"
	// Replica follows a source and refuses writes.
	Replica Role = "replica"
	// Frozen was a source and refuses writes until it is told what it shall be.
	Frozen Role = "frozen"
)

// MayWrite says whether the role admits writes.
func (r Role) MayWrite() bool { return r == Source || r == Unset }

// State is what an agent must know of its server's place in the set.
type State struct {
	Role Role `json:"role"`
	// SourceInstanceID is whom a replica follows.
	SourceInstanceID string `json:"source_instance_id,omitempty"`
	// Copying says that a copy of a source is being made: what is in the data directory is a part and is never served.
	Copying bool `json:"copying,omitempty"`
	// CopiedBy is the operation that made the copy, when it is whole.
	CopiedBy string `json:"copied_by,omitempty"`
	// Began is the position at which the own history of a promoted server begins; empty until its promotion is over.
	Began string `json:"began,omitempty"`
}

// Keeper keeps the state of one server on disk.
type Keeper struct {
	path string

	mu    sync.Mutex
	state State
}

// Open reads the state from the agent's folder; without a file it is that of a server that stands alone.
func Open(agentDir string) (*Keeper, error) {
	k := &Keeper{path: filepath.Join(agentDir, "role.json")}
	if err := durable.ReadJSON(k.path, &k.state); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the role: %w", err)
	}
	return k, nil
}

// State is the state now.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Become changes the state. It is on the disk before anybody can see it.
func (k *Keeper) Become(next State) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if next == k.state {
		return nil
	}
	if err := durable.WriteJSON(k.path, next); err != nil {
		return fmt.Errorf("save the role: %w", err)
	}
	k.state = next
	return nil
}
