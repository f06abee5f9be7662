package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newMgmtStop(s *session) *cobra.Command {
	return change{
		use: "stop INSTANCE", short: "Stop the database and keep it stopped, until the instance is restarted", managed: true,
		passing: []string{"REBOOT"}, order: only((*client.Client).StopDatabase),
	}.command(s)
}

func newMgmtReboot(s *session) *cobra.Command {
	return change{
		use: "reboot INSTANCE", short: "Restart the whole server, also one that is silent or down", managed: true,
		passing: []string{"REBOOT"}, order: only((*client.Client).RebootServer),
	}.command(s)
}

func newMgmtMigrate(s *session) *cobra.Command {
	var host string
	return change{
		use: "migrate INSTANCE", short: "Move the server to another host", managed: true, passing: []string{"MIGRATING"},
		flags: func(command *cobra.Command) {
			command.Flags().StringVar(&host, "host", "", "the host to move to (default: the service chooses)")
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			return service.MigrateServer(ctx, id, host)
		},
	}.command(s)
}

func newMgmtRebuild(s *session) *cobra.Command {
	const flag = "image"
	var image string
	return change{
		use: "rebuild INSTANCE", short: "Make the server anew from an image; the data are kept", managed: true,
		passing: []string{"BUILD"},
		flags: func(command *cobra.Command) {
			command.Flags().StringVar(&image, flag, "", "id of the image, or of the instance's datastore version where there are no images")
			mustHave(command, flag)
		},
		order: func(ctx context.Context, service *client.Client, id string, _ []string) (client.Outcome, error) {
			return service.RebuildServer(ctx, id, image)
		},
	}.command(s)
}

func newMgmtResetTaskStatus(s *session) *cobra.Command {
	return change{
		use: "reset-task-status INSTANCE", short: "End whatever is done to an instance", managed: true,
		order: only((*client.Client).ResetTaskStatus),
	}.command(s)
}
