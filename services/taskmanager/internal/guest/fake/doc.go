// Package fake is a guest agent without a database: a real gRPC server over real mTLS that enrols, keeps its operations
// and streams its status like the real one, but whose database is a few fields. Tests drive workflows and the monitor
// against it, and the benchmarks measure the control plane with it (cmd/coffer-fakeagent).
package fake
