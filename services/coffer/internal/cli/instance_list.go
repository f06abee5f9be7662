package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstanceList(s *session) *cobra.Command {
	var as format
	command := &cobra.Command{
		Use: "list", Short: "List instances", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			instances, err := service.Instances(command.Context())
			if err != nil {
				return err
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), append([]client.Instance{}, instances...))
			}
			return printInstances(command.OutOrStdout(), instances)
		},
	}
	as.flag(command)
	return command
}

// printInstances leaves out what no instance has: replication, faults.
func printInstances(w io.Writer, instances []client.Instance) error {
	heading := []string{"ID", "NAME", "STATUS", "OPERATING STATUS", "DATASTORE", "VOLUME", "ADDRESSES"}
	names := map[string]string{}
	for _, i := range instances {
		names[i.ID] = i.Name
	}
	rows := make([][]string, 0, len(instances))
	replication := make([]string, 0, len(instances))
	faults := make([]string, 0, len(instances))
	for _, i := range instances {
		rows = append(rows, []string{
			i.ID, i.Name, i.Status, i.OperatingStatus,
			strings.TrimSpace(i.Datastore.Type + " " + i.Datastore.Version), volumeWords(i), strings.Join(i.IP, ", "),
		})
		replication = append(replication, replicationWords(i, names))
		faults = append(faults, faultWords(i))
	}
	heading, rows = withColumn(heading, rows, "REPLICATION", replication)
	heading, rows = withColumn(heading, rows, "FAULT", faults)
	return printTable(w, heading, rows)
}

// withColumn adds a column, unless there is nothing in it.
func withColumn(heading []string, rows [][]string, name string, values []string) ([]string, [][]string) {
	if !slices.ContainsFunc(values, func(value string) bool { return value != "" }) {
		return heading, rows
	}
	for i := range rows {
		rows[i] = append(rows[i], values[i])
	}
	return append(heading, name), rows
}

func replicationWords(i client.Instance, names map[string]string) string {
	switch source := sourceOf(i); {
	case source != "":
		return "replica of " + cmp.Or(names[source], source)
	case len(i.Replicas) > 0:
		return fmt.Sprintf("source of %d", len(i.Replicas))
	}
	return ""
}

func faultWords(i client.Instance) string {
	if i.Fault == nil {
		return ""
	}
	return i.Fault.Message
}
