package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstanceRestart(s *session) *cobra.Command {
	var hard bool
	return change{
		use: "restart INSTANCE", short: "Restart the database of an instance, or its whole server",
		passing: []string{"REBOOT"},
		flags: func(command *cobra.Command) {
			command.Flags().BoolVar(&hard, "hard", false, "restart the whole server, also one that is silent or down (by the DDM API)")
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			if hard {
				return service.RestartServer(ctx, id)
			}
			return service.RestartInstance(ctx, id)
		},
	}.command(s)
}

// gone are the statuses of an instance until it is deleted.
var gone = []string{"SHUTDOWN", "ACTIVE", "REBOOT"}

func newInstanceDelete(s *session) *cobra.Command {
	return change{
		use: "delete INSTANCE", short: "Delete an instance and all its data",
		passing: gone, order: only((*client.Client).DeleteInstance),
	}.command(s)
}

func newInstanceForceDelete(s *session) *cobra.Command {
	return change{
		use: "force-delete INSTANCE", short: "End whatever is done to an instance, and delete it with all its data",
		long:    "End whatever is done to an instance, and delete it with all its data. A dry run shows the first of the two.",
		passing: gone, order: only((*client.Client).ForceDelete),
	}.command(s)
}

func newInstanceResetStatus(s *session) *cobra.Command {
	return change{
		use: "reset-status INSTANCE", short: "End whatever is done to an instance, and forget its errors (admins; of another project by its id)",
		order: only((*client.Client).ResetStatus),
	}.command(s)
}

func newInstanceRename(s *session) *cobra.Command {
	return change{
		use: "rename INSTANCE NAME", short: "Give an instance another name", args: cobra.ExactArgs(2),
		order: func(ctx context.Context, service *client.Client, id string, args []string) (client.Outcome, error) {
			return service.Rename(ctx, id, args[1])
		},
	}.command(s)
}

func newInstanceUpgrade(s *session) *cobra.Command {
	const flag = "datastore-version"
	var version string
	return change{
		use: "upgrade INSTANCE", short: "Bring the database to a newer version of its engine, in place",
		passing: []string{"UPGRADE"},
		flags: func(command *cobra.Command) {
			command.Flags().StringVar(&version, flag, "", "the version's name or id")
			mustHave(command, flag)
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			return service.Upgrade(ctx, id, version)
		},
	}.command(s)
}

func newInstanceResize(s *session) *cobra.Command {
	const flavorFlag, sizeFlag = "flavor", "size"
	var (
		flavor string
		size   int
	)
	return change{
		use: "resize INSTANCE", short: "Give an instance another flavor, or a larger volume",
		long:    "Give an instance another flavor, for which its database is restarted, or a larger volume, which its replicas get too.",
		passing: []string{"RESIZE"}, together: true,
		flags: func(command *cobra.Command) {
			command.Flags().StringVar(&flavor, flavorFlag, "", "size of the server: a flavor's name or id")
			command.Flags().IntVar(&size, sizeFlag, 0, "size of the volume in GiB")
			command.MarkFlagsOneRequired(flavorFlag, sizeFlag)
			command.MarkFlagsMutuallyExclusive(flavorFlag, sizeFlag)
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			if flavor == "" {
				return service.ResizeVolume(ctx, id, size)
			}
			flavorID, err := service.FindFlavor(ctx, flavor)
			if err != nil {
				return client.Outcome{}, err
			}
			return service.ResizeFlavor(ctx, id, flavorID)
		},
	}.command(s)
}

// mustHave makes a flag required.
func mustHave(command *cobra.Command, flag string) {
	if err := command.MarkFlagRequired(flag); err != nil {
		panic(err) // Its caller has just defined it.
	}
}
