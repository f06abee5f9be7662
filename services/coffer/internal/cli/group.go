package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newGroup is a command that only holds others: alone it prints its help, and it refuses what it does not hold.
func newGroup(use, short, group string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, GroupID: group, SuggestionsMinimumDistance: 2,
		Args: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			sentence := fmt.Sprintf("unknown command %q for %q", args[0], command.CommandPath())
			if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
				sentence += "; did you mean " + strings.Join(similar, " or ") + "?"
			}
			return errors.New(sentence)
		},
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
}

// oneArgument wants exactly what the use line names.
func oneArgument(command *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fmt.Errorf("%d arguments are given where one is wanted: %s", len(args), command.UseLine())
}
