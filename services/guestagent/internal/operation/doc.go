// Package operation makes changing calls happen once. Each carries an id and the epoch of the run that asks for it.
// The agent runs an operation to its end whether or not the caller stays, and keeps the outcome on disk: the same id
// again is answered with that outcome, or joins what still runs. An operation of an older epoch than the newest seen is
// refused, since its run has lost its lease.
//
// An agent that dies in the middle of an operation runs it again when it is asked again, with the mark that it stored
// before it began: what the work finds there tells it what had been before, so it must do its part once only.
package operation
