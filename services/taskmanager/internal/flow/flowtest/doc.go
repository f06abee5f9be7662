// Package flowtest is a journal in memory, with the api's rules (epochs, leases, records written over by name, ends that
// stay), on which a test can let a run die before or after any write and claim the task again.
package flowtest
