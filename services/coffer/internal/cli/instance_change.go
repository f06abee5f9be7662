package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// change is a verb that takes an instance, orders something, and may wait for it.
type change struct {
	use, short string
	// passing are the statuses in which an instance is while it is worked.
	passing []string
	order   func(service *client.Client, ctx context.Context, id string) (taskID string, err error)
}

func newInstanceRestart(s *session) *cobra.Command {
	return change{
		use: "restart INSTANCE", short: "Restart the database of an instance",
		passing: []string{"REBOOT"}, order: (*client.Client).RestartInstance,
	}.command(s)
}

func newInstanceDelete(s *session) *cobra.Command {
	return change{
		use: "delete INSTANCE", short: "Delete an instance and all its data",
		passing: []string{"SHUTDOWN", "ACTIVE", "REBOOT"}, order: (*client.Client).DeleteInstance,
	}.command(s)
}

func (c change) command(s *session) *cobra.Command {
	var (
		as   format
		wait bool
	)
	command := &cobra.Command{
		Use: c.use, Short: c.short, Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			instance, err := service.FindInstance(command.Context(), args[0])
			if err != nil {
				return err
			}
			taskID, err := c.order(service, command.Context(), instance.ID)
			if err != nil {
				return err
			}
			if wait {
				if err := await(command, service, as, taskID, instance.ID, c.passing...); err != nil {
					return err
				}
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), map[string]string{"instance_id": instance.ID, "task_id": taskID})
			}
			return printFields(command.OutOrStdout(), [][2]string{{"instance", instance.ID}, {"task", taskID}})
		},
	}
	command.Flags().BoolVar(&wait, "wait", false, "wait until it is done, and fail if it fails")
	as.flag(command)
	return command
}
