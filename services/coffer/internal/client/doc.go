// Package client is the public API as the command line's verbs use it: any Trove, reached the way the openstack client
// reaches one. Tasks and events are Coffer's own.
package client
