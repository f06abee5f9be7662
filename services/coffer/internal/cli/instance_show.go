package cli

import "github.com/spf13/cobra"

func newInstanceShow(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "show INSTANCE", Short: "Show an instance, and the line that connects to it", Args: oneArgument,
		ValidArgsFunction: s.completeFirst(false),
		RunE: func(command *cobra.Command, args []string) error {
			_, instance, err := s.find(command.Context(), args[0])
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), instance)
			}
			if err := printFields(command.OutOrStdout(), instanceFields(instance)); err != nil {
				return err
			}
			if line := connectLine(instance, "", ""); line != "" {
				command.Println()
				command.Println(line)
			}
			return nil
		},
	}
	as.flag(command)
	return command
}
