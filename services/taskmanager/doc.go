// Package taskmanager owns the order of things: it takes accepted tasks from the queue and brings each to its end, step
// by step, journalled at the api, with a provider for machines and the guest agents for databases. It also watches the
// guests between tasks.
//
// Any number of taskmanagers may run; nothing is lost when one dies.
package taskmanager
