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

// readState says beside the state whether there was one: it is written before the first process is started.
func readState(path string) (s state, written bool, err error) {
	s.Wanted = Stopped
	err = durable.ReadJSON(path, &s)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	return s, true, err
}
