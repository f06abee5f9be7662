package engine

import "github.com/coffer-dbaas/coffer/pkg/errs"

// Diverged refuses to follow a source with data that it cannot continue: there is something here that it does not have,
// or it no longer has what comes next. Only a new copy helps.
func Diverged(cause error) error {
	return errs.New(errs.WrongState, "DIVERGED",
		"The data here are not part of the source's history; only a new copy of the source helps.").Because(cause)
}

// ReplicationBroken says why a replica will not get any further by itself; no secrets.
func ReplicationBroken(why string) error {
	return errs.New(errs.WrongState, "REPLICATION_BROKEN", "The replica does not get any further: %s.", why)
}
