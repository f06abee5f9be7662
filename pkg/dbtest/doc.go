// Package dbtest runs real database servers for tests that keep the state of a control plane in one.
package dbtest
