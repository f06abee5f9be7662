package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// wasTrial is told to people.
const wasTrial = "This is a dry run: everything was checked, nothing was changed."

// printPlan writes what an order would do.
func printPlan(command *cobra.Command, as format, plan *client.Plan) error {
	if as.json() {
		return printJSON(command.OutOrStdout(), plan)
	}
	command.PrintErrln(wasTrial)
	err := printFields(command.OutOrStdout(), [][2]string{
		{"action", plan.Action},
		{"instance", plan.InstanceID},
		{"concerns also", strings.Join(plan.Members, ", ")},
		{"downtime", plan.Downtime},
	})
	if err != nil || len(plan.Steps) == 0 {
		return err
	}
	command.Println()
	rows := make([][]string, 0, len(plan.Steps))
	for _, step := range plan.Steps {
		undoable := "no"
		if step.Undoable {
			undoable = "yes"
		}
		rows = append(rows, []string{step.Name, undoable})
	}
	return printTable(command.OutOrStdout(), []string{"STEP", "CAN BE UNDONE"}, rows)
}
