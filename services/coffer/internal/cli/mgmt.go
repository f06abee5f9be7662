package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newMgmt(s *session) *cobra.Command {
	command := newGroup("mgmt", "See and mend the instances of all projects (admins: --os-cloud coffer-admin)", groupRun)
	command.AddCommand(
		newMgmtList(s), newMgmtShow(s),
		newMgmtStop(s), newMgmtReboot(s), newMgmtMigrate(s), newMgmtRebuild(s), newMgmtResetTaskStatus(s),
	)
	return command
}

const flagDeleted = "deleted"

func newMgmtList(s *session) *cobra.Command {
	var (
		as      format
		deleted bool
	)
	command := &cobra.Command{
		Use: "list", Short: "List the instances of all projects", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			instances, err := service.ManagedInstances(command.Context(), deleted)
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.ManagedInstance{}, instances...))
			}
			return printManaged(command.OutOrStdout(), instances)
		},
	}
	command.Flags().BoolVar(&deleted, flagDeleted, false, "those that are deleted, instead of those that are there")
	as.flag(command)
	return command
}

func printManaged(w io.Writer, instances []client.ManagedInstance) error {
	rows := make([][]string, 0, len(instances))
	deletions := make([]string, 0, len(instances))
	faults := make([]string, 0, len(instances))
	for _, i := range instances {
		rows = append(rows, []string{
			i.ID, i.Name, i.ProjectID, i.Status, i.ServiceStatus, serverStatus(i),
			strings.TrimSpace(i.Datastore.Type + " " + i.Datastore.Version),
		})
		deletions = append(deletions, value(i.DeletedAt))
		faults = append(faults, faultWords(i.Instance))
	}
	heading := []string{"ID", "NAME", "PROJECT", "STATUS", "SERVICE", "SERVER", "DATASTORE"}
	heading, rows = withColumn(heading, rows, "DELETED", deletions)
	heading, rows = withColumn(heading, rows, "FAULT", faults)
	return printTable(w, heading, rows)
}

func newMgmtShow(s *session) *cobra.Command {
	var (
		as      format
		deleted bool
	)
	command := &cobra.Command{
		Use: "show INSTANCE", Short: "Show an instance of any project", Args: oneArgument,
		ValidArgsFunction: s.completeFirst(true),
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			instance, err := service.FindManagedInstance(command.Context(), args[0], deleted)
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), instance)
			}
			return printFields(command.OutOrStdout(), append(instanceFields(instance.Instance), [][2]string{
				{"project", instance.ProjectID},
				{"server", strings.TrimSpace(instance.ServerID + " " + serverStatus(instance))},
				{"volume id", instance.VolumeID},
				{"service status", instance.ServiceStatus},
				{"task", instance.TaskDescription},
				{"deleted", value(instance.DeletedAt)},
			}...))
		},
	}
	command.Flags().BoolVar(&deleted, flagDeleted, false, "one that is deleted")
	as.flag(command)
	return command
}

func serverStatus(i client.ManagedInstance) string {
	if i.Server == nil {
		return ""
	}
	return i.Server.Status
}
