package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// change is a verb that takes an instance, orders something, and may wait for it.
type change struct {
	use, short, long string
	// args checks the arguments, of which the first is the instance; nil wants no other.
	args cobra.PositionalArgs
	// flags are the verb's own.
	flags func(*cobra.Command)
	// managed is for admins: the instance may be of any project.
	managed bool
	// passing are the statuses in which an instance is while it is worked; none where it is done at once.
	passing []string
	// together says that the order may have begun tasks of other instances too.
	together bool
	order    func(ctx context.Context, service *client.Client, id string, args []string) (client.Outcome, error)
}

// only makes an order of a call that needs nothing but the instance.
func only(
	call func(*client.Client, context.Context, string) (client.Outcome, error),
) func(context.Context, *client.Client, string, []string) (client.Outcome, error) {
	return func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
		return call(service, ctx, id)
	}
}

func (c change) command(s *session) *cobra.Command {
	var ordered ordering
	command := &cobra.Command{
		Use: c.use, Short: c.short, Long: c.long, Args: c.args, ValidArgsFunction: s.completeFirst(c.managed),
		RunE: func(command *cobra.Command, args []string) error {
			service, err := ordered.connect(command, s)
			if err != nil {
				return err
			}
			id, err := c.find(command.Context(), service, args[0])
			if err != nil {
				return err
			}
			outcome, err := c.order(command.Context(), service, id, args)
			if err != nil {
				return err
			}
			return c.finish(command, service, &ordered, id, outcome)
		},
	}
	if c.args == nil {
		command.Args = oneArgument
	}
	if c.flags != nil {
		c.flags(command)
	}
	ordered.flags(command)
	return command
}

func (c change) find(ctx context.Context, service *client.Client, idOrName string) (string, error) {
	if c.managed {
		found, err := service.FindManagedInstance(ctx, idOrName, false)
		return found.ID, err
	}
	found, err := service.FindInstance(ctx, idOrName)
	return found.ID, err
}

func (c change) finish(
	command *cobra.Command, service *client.Client, ordered *ordering, id string, outcome client.Outcome,
) error {
	if outcome.Plan != nil {
		return printPlan(command, ordered.as, outcome.Plan)
	}
	if err := ordered.await(command, service, outcome, id, c.passing...); err != nil {
		return err
	}
	if c.together {
		if err := ordered.awaitBeside(command, service, outcome); err != nil {
			return err
		}
	}
	if ordered.as.json() {
		return printJSON(command.OutOrStdout(), map[string]string{"instance_id": id, "task_id": outcome.TaskID})
	}
	return printFields(command.OutOrStdout(), [][2]string{{"instance", id}, {"task", outcome.TaskID}})
}
