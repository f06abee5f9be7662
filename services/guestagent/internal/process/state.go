package process

import (
	"errors"
	"io/fs"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Wanted is what the database shall be.
type Wanted string

// The wanted states.
const (
	Running Wanted = "running"
	Stopped Wanted = "stopped"
)

// state is what an agent must know of the database to go on where the former one ended.
type state struct {
	Wanted Wanted `json:"wanted"`
	// Starts counts the processes; it changes together with Process, so none is counted twice or missed.
	Starts  int64       `json:"starts"`
	Process proc.Record `json:"process"`
}

// unstarted is the state while nobody has asked for a process: one that shall run is written before there is any.
var unstarted = state{Wanted: Stopped}

func readState(path string) (state, error) {
	s := unstarted
	if err := durable.ReadJSON(path, &s); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	return s, nil
}
