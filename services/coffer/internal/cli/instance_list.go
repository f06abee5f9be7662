package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstanceList(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "list", Short: "List instances", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			instances, err := service.Instances(command.Context())
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.Instance{}, instances...))
			}
			rows := make([][]string, 0, len(instances))
			for _, i := range instances {
				rows = append(rows, []string{
					i.ID, i.Name, i.Status, i.OperatingStatus,
					strings.TrimSpace(i.Datastore.Type + " " + i.Datastore.Version), volumeWords(i), strings.Join(i.IP, ", "),
				})
			}
			return printTable(command.OutOrStdout(),
				[]string{"ID", "NAME", "STATUS", "OPERATING STATUS", "DATASTORE", "VOLUME", "ADDRESSES"}, rows)
		},
	}
	as.flag(command)
	return command
}
