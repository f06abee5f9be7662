package mariadb

import (
	"context"
	"errors"
	"time"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	// freezeGrace is how long work may take that runs when a freeze begins, before its session is ended.
	freezeGrace = 20 * time.Millisecond
	// freezePause is the pause between two rounds of ending sessions.
	freezePause = 10 * time.Millisecond
)

// tenants are the sessions of neither the agent, nor replicas, nor the server itself.
const tenants = "USER NOT IN (?, 'system user', 'event_scheduler') AND USER NOT LIKE 'coffer\\_repl\\_%'"

// RunsFrozen says that a frozen server runs: replicas get the last of its changes.
func (e *Engine) RunsFrozen() bool { return true }

// Freeze makes the server refuse writes and ends the sessions of tenants, first of those that hold the refusal up: the
// server lets statements that run, and locked tables, come to their end before. From then on it refuses commits too, also
// of transactions that had begun, so what it acknowledged lies before the position. No tenant has a right around that
// (READ_ONLY ADMIN).
func (e *Engine) Freeze(ctx context.Context, p engine.Process) (string, error) {
	// One that has died comes up again refusing writes.
	if err := p.RequestAndWaitStart(ctx); err != nil {
		return "", err
	}
	// One that refuses already has acknowledged nothing since, and its clients may read.
	var refuses bool
	if err := e.ask(ctx, "SELECT @@GLOBAL.read_only", &refuses); err != nil {
		return "", err
	}
	if refuses {
		return e.position(ctx)
	}
	refusing := make(chan error, 1)
	go func() { refusing <- e.SetReadOnly(ctx, true) }()
	timer := time.NewTimer(freezeGrace)
	defer timer.Stop()
	for {
		select {
		case err := <-refusing:
			if err != nil {
				return "", err
			}
			if err := e.endSessions(ctx, tenants, admin); err != nil {
				return "", err
			}
			return e.position(ctx)
		case <-timer.C:
			if err := e.endSessions(ctx, tenants, admin); err != nil {
				return "", errors.Join(err, <-refusing)
			}
			timer.Reset(freezePause)
		}
	}
}

// Unfreeze sees to it that the server runs.
func (e *Engine) Unfreeze(ctx context.Context, p engine.Process) error {
	return p.RequestAndWaitStart(ctx)
}

func (e *Engine) position(ctx context.Context) (here string, err error) {
	return here, e.ask(ctx, "SELECT @@GLOBAL.gtid_current_pos", &here)
}
