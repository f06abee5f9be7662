// Package registration tells a Keystone what a control plane needs there: its service and endpoints in the catalog, the
// roles it goes by, and the user as which it speaks to the cloud. All of it looks before it makes, so it is safe to
// repeat.
package registration
