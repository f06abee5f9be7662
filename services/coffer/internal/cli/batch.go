package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newBatch(s *session) *cobra.Command {
	command := newGroup("batch", "Restart or delete many instances with one call (by the DMS API)", groupUse)
	command.AddCommand(newBatchRestart(s), newBatchDelete(s))
	return command
}

func newBatchRestart(s *session) *cobra.Command {
	var ordered ordering
	command := &cobra.Command{
		Use: "restart INSTANCE...", Short: "Restart the databases of many instances", Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: s.complete(false),
		RunE: func(command *cobra.Command, args []string) error {
			return batch(command, s, &ordered, client.BatchRestart, args, "REBOOT")
		},
	}
	ordered.flags(command)
	return command
}

const flagAllFailed = "all-failed"

func newBatchDelete(s *session) *cobra.Command {
	var (
		ordered ordering
		engine  string
	)
	command := &cobra.Command{
		Use: "delete INSTANCE... | --all-failed", Short: "Delete many instances, or all that were never made",
		Args: func(command *cobra.Command, args []string) error {
			if all := command.Flags().Changed(flagAllFailed); all == (len(args) > 0) {
				return fmt.Errorf("either instances are given, or --%s", flagAllFailed)
			}
			return nil
		},
		ValidArgsFunction: s.complete(false),
		RunE: func(command *cobra.Command, args []string) error {
			if engine != "" {
				return deleteFailures(command, s, &ordered, engine)
			}
			return batch(command, s, &ordered, client.BatchDelete, args, gone...)
		},
	}
	command.Flags().StringVar(&engine, flagAllFailed, "", "those whose creation failed; of one engine alone with =ENGINE")
	command.Flags().Lookup(flagAllFailed).NoOptDefVal = "true"
	ordered.flags(command)
	return command
}

// deleteFailures cannot be tried or waited for: the service does not tell what it deletes.
func deleteFailures(command *cobra.Command, s *session, ordered *ordering, engine string) error {
	if ordered.dryRun || ordered.wait || ordered.watch {
		return fmt.Errorf("--%s goes alone: the service does not tell what it deletes (`coffer instance list` does)", flagAllFailed)
	}
	service, err := s.connect(command.Context())
	if err != nil {
		return err
	}
	return service.DeleteFailures(command.Context(), engine)
}

// batch does the same to many, and fails if it could not be begun with all of them.
func batch(command *cobra.Command, s *session, ordered *ordering, doing string, args []string, passing ...string) error {
	service, err := ordered.connect(command, s)
	if err != nil {
		return err
	}
	ids, err := service.FindInstances(command.Context(), args)
	if err != nil {
		return err
	}
	results, err := service.Batch(command.Context(), doing, ids)
	if err != nil {
		return err
	}
	if service.IsTrial() && !ordered.as.json() {
		command.PrintErrln(wasTrial)
	}
	if err := printResults(command, ordered.as, results); err != nil {
		return err
	}
	var failures []error
	for _, result := range results {
		if !result.Accepted() {
			failures = append(failures, fmt.Errorf("%s %s: %s", doing, result.InstanceID, cmp.Or(result.Reason, "refused")))
			continue
		}
		if service.IsTrial() {
			continue
		}
		outcome := client.Outcome{TaskID: result.TaskID}
		ordered.announce(command, result.InstanceID)
		if err := ordered.await(command, service, outcome, result.InstanceID, passing...); err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", doing, result.InstanceID, err))
		}
	}
	return errors.Join(failures...)
}

func printResults(command *cobra.Command, as format, results []client.BatchResult) error {
	if as.json() {
		return printJSON(command.OutOrStdout(), results)
	}
	rows := make([][]string, 0, len(results))
	tasks := make([]string, 0, len(results))
	for _, result := range results {
		rows = append(rows, []string{result.InstanceID, strings.ToUpper(result.Result)})
		tasks = append(tasks, result.TaskID)
	}
	heading, rows := withColumn([]string{"INSTANCE", "RESULT"}, rows, "TASK", tasks)
	return printTable(command.OutOrStdout(), heading, rows)
}
