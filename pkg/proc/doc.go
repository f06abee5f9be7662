// Package proc starts processes that outlive their parent and finds them again: an agent's database survives the
// agent, a server's agent survives the control plane.
//
// Such a process has a session of its own, its output goes to a file, and nothing ties its life to its parent's. A
// Record (process id, start time, boot id) kept on disk finds exactly that process again and never another one with
// a reused id. A Process, started or found, tells its end through a pidfd, so that its owner has one event for both.
package proc
