package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newJob(s *session) *cobra.Command {
	command := newGroup("job", "See tasks as the DDM API shows them", groupUse)
	command.AddCommand(newJobList(s), newJobShow(s))
	return command
}

func newJobList(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "list", Short: "List the jobs of the last 30 days, newest first", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			jobs, err := service.Jobs(command.Context(), time.Now())
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.Job{}, jobs...))
			}
			rows := make([][]string, 0, len(jobs))
			for _, j := range jobs {
				rows = append(rows, []string{j.ID, j.Name, j.InstanceName, j.Status, j.Created, j.Ended})
			}
			return printTable(command.OutOrStdout(), []string{"ID", "NAME", "INSTANCE", "STATUS", "CREATED", "ENDED"}, rows)
		},
	}
	as.flag(command)
	return command
}

func newJobShow(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "show JOB", Short: "Show a job", Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			job, err := service.Job(command.Context(), args[0])
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), job)
			}
			fields := [][2]string{
				{"id", job.ID},
				{"name", job.Name},
				{"status", job.Status},
				{"progress", job.Progress},
				{"created", job.Created},
				{"ended", job.Ended},
				{"failure", job.Failure},
			}
			if job.Instance != nil {
				fields = append(fields, [2]string{"instance", job.Instance.Name + " (" + job.Instance.ID + ")"})
			}
			return printFields(command.OutOrStdout(), fields)
		},
	}
	as.flag(command)
	return command
}
