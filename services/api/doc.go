// Package api owns the state and the rules: it authenticates, checks, and turns what users ask for into tasks, in one
// transaction each; it keeps the journal of those tasks for the taskmanagers, and tells what happens as events.
//
// It has two faces of gRPC. The public one takes users' tokens; the internal one is for taskmanagers, in process or by
// mTLS. `coffer serve` puts both on channels of its own; Serve puts them on listeners.
package api
