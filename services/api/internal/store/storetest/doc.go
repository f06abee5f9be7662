// Package storetest is the contract of store.Store: every implementation, on every database, passes Run.
package storetest
