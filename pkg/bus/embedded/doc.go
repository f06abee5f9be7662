// Package embedded runs a NATS server inside the process, so that a control plane on one machine needs no other. It is
// the only place that knows the server's code.
package embedded
