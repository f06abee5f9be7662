package cli

import (
	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstancePromote(s *session) *cobra.Command {
	return change{
		use: "promote REPLICA", short: "Make a replica the source of its set, without losing a write",
		passing: []string{"PROMOTE"}, order: only((*client.Client).Promote),
	}.command(s)
}

func newInstanceEject(s *session) *cobra.Command {
	return change{
		use: "eject SOURCE", short: "Replace a source that is dead by its most advanced replica",
		long: "Replace a source that is dead by its most advanced replica. What the source had acknowledged and no replica " +
			"received is lost. A source that is alive is refused.",
		passing: []string{"EJECT"}, order: only((*client.Client).Eject),
	}.command(s)
}

func newInstanceDetach(s *session) *cobra.Command {
	return change{
		use: "detach REPLICA", short: "Make a replica an instance of its own",
		passing: []string{"DETACH"}, order: only((*client.Client).Detach),
	}.command(s)
}
