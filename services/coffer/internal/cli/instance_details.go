package cli

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstanceConfiguration(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "configuration INSTANCE", Short: "Show what the engine is told by default, for the instance's version and flavor",
		Args: oneArgument, ValidArgsFunction: s.completeFirst(false),
		RunE: func(command *cobra.Command, args []string) error {
			service, instance, err := s.find(command.Context(), args[0])
			if err != nil {
				return err
			}
			parameters, err := service.Configuration(command.Context(), instance.ID)
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), parameters)
			}
			rows := make([][]string, 0, len(parameters))
			for _, name := range slices.Sorted(maps.Keys(parameters)) {
				rows = append(rows, []string{name, parameters[name]})
			}
			return printTable(command.OutOrStdout(), []string{"PARAMETER", "VALUE"}, rows)
		},
	}
	as.flag(command)
	return command
}

func newInstanceBackups(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "backups INSTANCE", Short: "List the backups of an instance", Args: oneArgument,
		ValidArgsFunction: s.completeFirst(false),
		RunE: func(command *cobra.Command, args []string) error {
			service, instance, err := s.find(command.Context(), args[0])
			if err != nil {
				return err
			}
			backups, err := service.Backups(command.Context(), instance.ID)
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.Backup{}, backups...))
			}
			rows := make([][]string, 0, len(backups))
			for _, b := range backups {
				rows = append(rows, []string{b.ID, b.Name, b.Status, b.Created})
			}
			return printTable(command.OutOrStdout(), []string{"ID", "NAME", "STATUS", "CREATED"}, rows)
		},
	}
	as.flag(command)
	return command
}
