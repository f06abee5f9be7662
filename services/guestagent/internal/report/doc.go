// Package report holds what the agent knows of its database, numbered, so that a watcher gets every change in order.
package report
