// Package durable writes the agent's small files so that a crash, of the agent or the machine, leaves the old content
// or the new one and never a part.
package durable
