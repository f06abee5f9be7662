// Package event lets callers watch what happens to their project. The events were committed with what they tell of and
// carried to JetStream by the outbox; here each watcher reads its project's part of that stream, from where it left off.
package event
