// Package e2e has no code of its own: its tests build the real programs, start them as a user would, and drive them
// through their public doors alone. What they break (processes by kill -9, files of the queue), they break from
// outside.
//
//	harness_test.go     building the programs; a running `coffer serve`
//	client_test.go      the REST door: tokens, calls, the event stream
//	machine_test.go     looking at a local server from outside: its processes, its logs, its database
//	*_test.go           one file per promise
package e2e
