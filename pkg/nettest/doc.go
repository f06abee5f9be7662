// Package nettest gives a test addresses of this host that stay free until it uses them.
package nettest
