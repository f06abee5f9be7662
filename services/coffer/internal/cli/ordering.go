package cli

import (
	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// ordering is what all verbs that change something have in common: they may be tried only, and waited for.
type ordering struct {
	as                  format
	wait, watch, dryRun bool
}

func (o *ordering) flags(command *cobra.Command) {
	command.Flags().BoolVar(&o.wait, "wait", false, "wait until it is done, and fail if it fails")
	command.Flags().BoolVar(&o.watch, "watch", false, "wait, and show each step live even with -o json")
	o.trialFlag(command)
	o.as.flag(command)
}

func (o *ordering) trialFlag(command *cobra.Command) {
	command.Flags().BoolVar(&o.dryRun, "dry-run", false, "check everything and print the plan; nothing is changed (Coffer only)")
}

// connect gives a client that only tries, if that is what was asked for.
func (o *ordering) connect(command *cobra.Command, s *session) (*client.Client, error) {
	service, err := s.connect(command.Context())
	if err != nil || !o.dryRun {
		return service, err
	}
	return service.Trial(command.Context())
}

// await waits for what was ordered, if that is what was asked for.
func (o *ordering) await(
	command *cobra.Command, service *client.Client, outcome client.Outcome, instanceID string, passing ...string,
) error {
	if !o.wait && !o.watch {
		return nil
	}
	return await(command, service, o.shown(), outcome.TaskID, instanceID, passing...)
}

// awaitBeside waits for what was ordered together with a task.
func (o *ordering) awaitBeside(command *cobra.Command, service *client.Client, outcome client.Outcome) error {
	if !o.wait && !o.watch || outcome.TaskID == "" {
		return nil
	}
	task, err := service.Task(command.Context(), outcome.TaskID)
	if err != nil {
		return err
	}
	others, err := service.TasksBeside(command.Context(), task)
	if err != nil {
		return err
	}
	for _, other := range others {
		o.announce(command, other.InstanceName)
		if _, err := watch(command, service, o.shown(), other.ID); err != nil {
			return err
		}
	}
	return nil
}

// announce says of which instance the progress is that follows.
func (o *ordering) announce(command *cobra.Command, name string) {
	if shown := o.shown(); (o.wait || o.watch) && !shown.json() {
		command.PrintErrf("\n%s:\n", name)
	}
}

// shown is how progress is shown.
func (o *ordering) shown() format {
	if o.watch {
		return format{name: formatTable}
	}
	return o.as
}
