package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// await waits for what was ordered, and shows how it goes on: by its task, or where the service has none by the state
// of the instance.
func await(
	command *cobra.Command, service *client.Client, as format, taskID, instanceID string, passing ...string,
) error {
	if taskID != "" {
		_, err := watch(command, service, as, taskID)
		return err
	}
	if len(passing) == 0 {
		return nil // It was done at once.
	}
	instance, gone, err := service.AwaitInstance(command.Context(), instanceID, passing...)
	if err != nil || gone {
		return err
	}
	if instance.Status == "ERROR" || instance.Status == "FAILED" {
		if instance.Fault != nil {
			return fmt.Errorf("the instance is in %s: %s", instance.Status, instance.Fault.Message)
		}
		return fmt.Errorf("the instance is in %s", instance.Status)
	}
	return nil
}

// watch follows a task to its end and fails if it failed.
func watch(command *cobra.Command, service *client.Client, as format, taskID string) (client.Task, error) {
	task, err := follow(command, service, as, taskID)
	if err != nil {
		return client.Task{}, err
	}
	return task, task.Err()
}

// follow follows a task to whatever end it comes. Progress goes to stderr: stdout has the answer alone.
func follow(command *cobra.Command, service *client.Client, as format, taskID string) (client.Task, error) {
	progress := newProgress(command.ErrOrStderr(), as)
	defer progress.end()
	return service.WatchTask(command.Context(), taskID, progress.show)
}
