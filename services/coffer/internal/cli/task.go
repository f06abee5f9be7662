package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newTask(s *session) *cobra.Command {
	command := newGroup("task", "See and stop what is being done to instances (Coffer only)", groupUse)
	command.AddCommand(newTaskList(s), newTaskShow(s), newTaskWatch(s), newTaskCancel(s))
	return command
}

func newTaskList(s *session) *cobra.Command {
	var (
		as     format
		filter client.TaskFilter
	)
	command := &cobra.Command{
		Use: "list", Short: "List tasks, newest first", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			tasks, err := service.Tasks(command.Context(), filter)
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.Task{}, tasks...))
			}
			rows := make([][]string, 0, len(tasks))
			for _, t := range tasks {
				rows = append(rows, []string{t.ID, t.Action, t.InstanceName, t.Status, strconv.Itoa(t.Progress) + " %", t.Created})
			}
			return printTable(command.OutOrStdout(),
				[]string{"ID", "ACTION", "INSTANCE", "STATUS", "PROGRESS", "CREATED"}, rows)
		},
	}
	command.Flags().StringVar(&filter.InstanceID, "instance-id", "", "only tasks of this instance")
	command.Flags().StringVar(&filter.Status, "status", "", "only tasks in this status")
	command.Flags().StringVar(&filter.Action, "action", "", "only tasks of this action, such as restart_instance")
	as.flag(command)
	return command
}

func newTaskShow(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "show TASK", Short: "Show a task and its steps", Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			task, err := service.Task(command.Context(), args[0])
			if err != nil {
				return err
			}
			return showTask(command, as, task)
		},
	}
	as.flag(command)
	return command
}

func newTaskWatch(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "watch TASK", Short: "Follow a task to its end, and fail if it fails", Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			task, err := watch(command, service, as, args[0])
			if as.json() && task.ID != "" {
				if printErr := printJSON(command.OutOrStdout(), task); printErr != nil {
					return printErr
				}
			}
			return err
		},
	}
	as.flag(command)
	return command
}

func showTask(command *cobra.Command, as format, task client.Task) error {
	if as.json() {
		return printJSON(command.OutOrStdout(), task)
	}
	fields := [][2]string{
		{"id", task.ID},
		{"action", task.Action},
		{"instance", task.InstanceName + " (" + task.InstanceID + ")"},
		{"status", task.Status},
		{"progress", strconv.Itoa(task.Progress) + " %"},
		{"created", task.Created},
		{"started", value(task.Started)},
		{"finished", value(task.Finished)},
		{"request", task.RequestID},
	}
	if task.Error != nil {
		fields = append(fields, [2]string{"error", task.Error.Code + " in " + task.Error.Step + ": " + task.Error.Message})
	}
	if err := printFields(command.OutOrStdout(), fields); err != nil {
		return err
	}
	command.Println()
	rows := make([][]string, 0, len(task.Steps))
	for _, step := range task.Steps {
		rows = append(rows, []string{
			step.Name, step.Status, strconv.Itoa(step.Attempt), value(step.Started), value(step.Finished), step.Message,
		})
	}
	return printTable(command.OutOrStdout(), []string{"STEP", "STATUS", "ATTEMPT", "STARTED", "FINISHED", "MESSAGE"}, rows)
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
