// Package guest reaches the agents beside the databases: over mTLS, each under its own name, whatever its address.
//
// Connections are kept per instance and shared by workflows and monitor. Nothing here repeats a call: flow does, with
// the same operation id, and the agent joins or answers it.
package guest
