// Package bus is the messenger between api and taskmanager: the names of streams and subjects, and the connection to
// NATS JetStream. It carries doorbells and events; the truth is SQL, and losing all of this costs time alone.
package bus
