package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

const (
	flagPublic   = "public"
	flagNoPublic = "no-public"
	flagCIDR     = "allowed-cidr"
)

func newInstanceAccess(s *session) *cobra.Command {
	var (
		public, noPublic bool
		cidrs            []string
	)
	return change{
		use: "access INSTANCE", short: "Say who may connect to an instance; what is not said stays",
		// An instance whose access is changed is ACTIVE all the while.
		flags: func(command *cobra.Command) {
			command.Flags().BoolVar(&public, flagPublic, false, "give it a public address")
			command.Flags().BoolVar(&noPublic, flagNoPublic, false, "take its public address away")
			command.Flags().StringArrayVar(&cidrs, flagCIDR, nil, "network that may connect, such as 192.0.2.0/24; may be repeated")
			command.MarkFlagsOneRequired(flagPublic, flagNoPublic, flagCIDR)
			command.MarkFlagsMutuallyExclusive(flagPublic, flagNoPublic)
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			wanted := client.Access{AllowedCIDRs: cidrs}
			if public || noPublic {
				wanted.IsPublic = &public
			}
			return service.UpdateAccess(ctx, id, wanted)
		},
	}.command(s)
}
