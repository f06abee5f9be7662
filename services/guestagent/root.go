package guestagent

import "github.com/coffer-dbaas/coffer/services/guestagent/internal/enter"

// EnterRootVerb is the subcommand with which the agent starts a program in a root folder of its own.
const EnterRootVerb = enter.Verb

// EnterRoot makes this process a program in a root folder; it returns on failure alone. Needs root.
func EnterRoot(args []string) error { return enter.Run(args) }
