package postgresql

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// replicaGroup has the roles of all replicas, and is what the rules of access name. A replica's slot has its role's name.
const replicaGroup = "coffer_replicas"

// admission is a replica's account that cannot be made yet, with its password as the server keeps it.
type admission struct {
	Role     string `json:"role"`
	Verifier string `json:"verifier"`
}

// AdmitReplica makes the replica's role and a slot that keeps the log for it. A replica may connect from any address,
// since of several of its machine it is the kernel that chooses; the password is random. A server that is a replica
// itself keeps the admission until it is promoted.
func (e *Engine) AdmitReplica(ctx context.Context, replica engine.Member) (engine.Account, error) {
	made := engine.Account{User: engine.ReplicaAccount(replica.InstanceID), Password: rand.Text(), Port: port}
	verifier, err := keptForm(made.Password)
	if err != nil {
		return made, err
	}
	a := admission{Role: made.User, Verifier: verifier}
	return made, e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		recovering, err := isRecovering(ctx, c)
		if err != nil {
			return err
		}
		if recovering {
			return e.keepAdmission(a)
		}
		return admit(ctx, c, a)
	})
}

// replicates are the rights of a replica's role.
const replicates = " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION NOBYPASSRLS"

func admit(ctx context.Context, c *pgconn.PgConn, a admission) error {
	if err := createMissing(ctx, c, findRole, a.Role, "CREATE ROLE "+identifier(a.Role)+" IN ROLE "+replicaGroup); err != nil {
		return err
	}
	if err := execute(ctx, c, "ALTER ROLE "+identifier(a.Role)+replicates+" PASSWORD "+literal(a.Verifier)); err != nil {
		return err
	}
	return makeSlot(ctx, c, a.Role)
}

// makeSlot makes a slot that keeps the log from now on. One that has lost what it kept is made anew.
func makeSlot(ctx context.Context, c *pgconn.PgConn, name string) error {
	state, err := query(ctx, c, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1", name)
	if err != nil {
		return err
	}
	if state == "lost" {
		if err := dropSlots(ctx, c, name); err != nil {
			return err
		}
	}
	if state == "" || state == "lost" {
		_, err = query(ctx, c, "SELECT pg_create_physical_replication_slot($1, true)", name)
	}
	return err
}

// DismissReplica drops the slot and the role, and ends the replica's connections. On a replica the role is its source's to
// drop; on a server that does not run, the slot goes when it follows.
func (e *Engine) DismissReplica(ctx context.Context, instanceID string) error {
	name := engine.ReplicaAccount(instanceID)
	if err := e.dropAdmission(name); err != nil {
		return err
	}
	if !e.isReady() {
		return nil
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		recovering, err := isRecovering(ctx, c)
		if err != nil {
			return err
		}
		if !recovering {
			// First, so that it does not come back.
			if err := execute(ctx, c, "DROP ROLE IF EXISTS "+identifier(name)); err != nil {
				return err
			}
		}
		if err := endSenders(ctx, c, name); err != nil {
			return err
		}
		return dropSlots(ctx, c, name)
	})
}

func endSenders(ctx context.Context, c *pgconn.PgConn, role string) error {
	_, err := query(ctx, c, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication WHERE usename = $1", role)
	return err
}

const (
	// slotPause is the pause between two looks at whether a slot is free.
	slotPause = 5 * time.Millisecond
	slotLimit = 10 * time.Second
)

var errSlotBusy = errors.New("a replication slot does not become free")

// dropSlots drops the slots of replicas whose names are like a pattern, once those who use them are gone.
func dropSlots(ctx context.Context, c *pgconn.PgConn, like string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, slotLimit, errSlotBusy)
	defer cancel()
	for {
		busy, err := query(ctx, c, "SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots "+
			"WHERE slot_name LIKE $1 AND active", like)
		if err != nil {
			return err
		}
		// A slot that was taken just now is looked at again.
		_, dropped := query(ctx, c, "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots "+
			"WHERE slot_name LIKE $1 AND NOT active", like)
		if busy == "0" && dropped == nil {
			return nil
		}
		if !pause.For(ctx, slotPause) {
			return errors.Join(context.Cause(ctx), dropped)
		}
	}
}

func isRecovering(ctx context.Context, c *pgconn.PgConn) (bool, error) {
	answer, err := query(ctx, c, "SELECT pg_is_in_recovery()")
	return answer == "t", err
}

func (e *Engine) admissionsPath() string {
	return filepath.Join(e.server.AgentDir(), "admissions.json")
}

func (e *Engine) admissions() (kept []admission, err error) {
	err = durable.ReadJSON(e.admissionsPath(), &kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return kept, err
}

func (e *Engine) keepAdmission(a admission) error {
	return e.changeAdmissions(func(kept []admission) []admission { return append(without(kept, a.Role), a) })
}

func (e *Engine) dropAdmission(role string) error {
	return e.changeAdmissions(func(kept []admission) []admission { return without(kept, role) })
}

func (e *Engine) changeAdmissions(change func([]admission) []admission) error {
	e.keeping.Lock()
	defer e.keeping.Unlock()
	kept, err := e.admissions()
	if err != nil {
		return err
	}
	next := change(slices.Clone(kept))
	if slices.Equal(kept, next) {
		return nil
	}
	return durable.WriteJSON(e.admissionsPath(), next)
}

func without(kept []admission, role string) []admission {
	return slices.DeleteFunc(kept, func(a admission) bool { return a.Role == role })
}
