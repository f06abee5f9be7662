// Package errs gives every failure a kind, from which each wire derives its code: gRPC by the table here, Trove's
// faults by the table in the gateway. A failure is built once, where it is detected, with its reason and its
// sentence; callers add what they were doing with fmt.Errorf and %w.
package errs
