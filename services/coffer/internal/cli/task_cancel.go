package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newTaskCancel(s *session) *cobra.Command {
	var (
		as   format
		wait bool
	)
	command := &cobra.Command{
		Use: "cancel TASK", Short: "Stop a task at its next step, and undo what it did", Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			if err := service.CancelTask(command.Context(), args[0]); err != nil {
				return err
			}
			if wait {
				if err := awaitCancelled(command, service, as, args[0]); err != nil {
					return err
				}
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), map[string]string{"task_id": args[0]})
			}
			return nil
		},
	}
	command.Flags().BoolVar(&wait, "wait", false, "wait until all is undone, and fail if it came to another end")
	as.flag(command)
	return command
}

// awaitCancelled fails for a task that ended before it could be stopped.
func awaitCancelled(command *cobra.Command, service *client.Client, as format, taskID string) error {
	task, err := follow(command, service, as, taskID)
	if err != nil {
		return err
	}
	if task.Status != client.TaskCancelled {
		return fmt.Errorf("%s %s: it was not cancelled any more", task.Action, task.Status)
	}
	return nil
}
