package gormstore

import "errors"

// errDryRun takes back a unit that was run to see what would come of it.
var errDryRun = errors.New("a dry run writes nothing")

// takeBack fails a unit that was a dry run and would have passed.
func takeBack(dry bool, err error) error {
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
