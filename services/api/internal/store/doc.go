// Package store says what the api keeps and in which transactions it changes: small roles, composed into Store, with
// plain types that know no SQL. gormstore implements them; storetest is the contract that every implementation and
// every database passes.
//
// One transaction is one method. Whatever a method changes of tasks and instances, it also writes as events (and,
// when a task becomes due, as a command) to the outbox, so that nothing can be told that did not happen, nor happen
// untold.
package store
