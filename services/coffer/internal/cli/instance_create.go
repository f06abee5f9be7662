package cli

import (
	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstanceCreate(s *session) *cobra.Command {
	var (
		flags   createFlags
		ordered ordering
	)
	command := &cobra.Command{
		Use: "create NAME", Short: "Create an instance, or replicas of one", Args: oneArgument,
		ValidArgsFunction: cobra.NoFileCompletions,
		Example: `  coffer instance create shop --flavor db.tiny --size 1 --database shop --user keeper --wait
  coffer instance create shop-copy --replica-of shop --wait`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := flags.check(command); err != nil {
				return err
			}
			service, err := ordered.connect(command, s)
			if err != nil {
				return err
			}
			wanted, generated, err := flags.instance(command, service, args[0])
			if err != nil {
				return err
			}
			made, outcome, err := service.CreateInstance(command.Context(), wanted)
			if err != nil {
				return err
			}
			if outcome.Plan != nil {
				return printPlan(command, ordered.as, outcome.Plan)
			}
			if generated != "" {
				// It exists nowhere else, so it is told before anything can go wrong; on stderr, for scripts' sake.
				command.PrintErrf("password of %s: %s\n", flags.user, generated)
			}
			if made, err = awaitMade(command, service, &ordered, made, outcome); err != nil {
				return err
			}
			if ordered.as.json() {
				return printJSON(command.OutOrStdout(), struct {
					client.Instance
					TaskID string `json:"task_id,omitempty"`
				}{made, outcome.TaskID})
			}
			return flags.show(command, made, outcome.TaskID)
		},
	}
	flags.define(command)
	if err := command.RegisterFlagCompletionFunc(flagReplicaOf, s.complete(false)); err != nil {
		panic(err) // The flag stands one line above.
	}
	ordered.flags(command)
	return command
}

// awaitMade waits for all that was ordered, if that was asked for, and shows what came of it.
func awaitMade(
	command *cobra.Command, service *client.Client, ordered *ordering, made client.Instance, outcome client.Outcome,
) (client.Instance, error) {
	if err := ordered.await(command, service, outcome, made.ID, "BUILD"); err != nil {
		return made, err
	}
	if err := ordered.awaitBeside(command, service, outcome); err != nil {
		return made, err
	}
	if !ordered.wait && !ordered.watch {
		return made, nil
	}
	return service.Instance(command.Context(), made.ID)
}

func (f *createFlags) show(command *cobra.Command, made client.Instance, taskID string) error {
	if err := printFields(command.OutOrStdout(), append(instanceFields(made), [2]string{"task", taskID})); err != nil {
		return err
	}
	database := ""
	if len(f.databases) > 0 {
		database = f.databases[0]
	}
	if line := connectLine(made, f.user, database); line != "" {
		command.Println()
		command.Println(line)
	}
	return nil
}
