// Package cli is the command line: the control plane's own commands, and the user's verbs over the public API.
package cli
