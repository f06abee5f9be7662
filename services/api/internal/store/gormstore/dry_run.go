package gormstore

import (
	"errors"
)

// errDryRun takes back a unit that was run to see what would come of it.
var errDryRun = errors.New("a dry run writes nothing")

// unless takes the unit back when it was a dry run that would have passed.
func (u *unit) unless(dry bool, err error) error {
	if dry && err == nil {
		return errDryRun
	}
	return err
}

// passed is the error of a write that may have been a dry run.
func passed(err error) error {
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}
