package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstance(s *session) *cobra.Command {
	command := newGroup("instance", "Create, see, restart and delete database instances", groupUse)
	command.AddCommand(
		newInstanceList(s), newInstanceShow(s), newInstanceCreate(s), newInstanceRestart(s), newInstanceDelete(s),
	)
	return command
}

func instanceFields(i client.Instance) [][2]string {
	fields := [][2]string{
		{"id", i.ID},
		{"name", i.Name},
		{"status", i.Status},
		{"operating status", i.OperatingStatus},
		{"datastore", strings.TrimSpace(i.Datastore.Type + " " + i.Datastore.Version)},
		{"flavor", i.Flavor.ID},
		{"volume", volumeWords(i)},
		{"addresses", strings.Join(i.IP, ", ")},
		{"region", i.Region},
		{"created", i.Created},
		{"updated", i.Updated},
	}
	if i.Fault != nil {
		fields = append(fields, [2]string{"fault", i.Fault.Message})
	}
	return fields
}

func volumeWords(i client.Instance) string {
	switch {
	case i.Volume == nil:
		return ""
	case i.Volume.Used == nil:
		return strconv.Itoa(i.Volume.Size) + " GiB"
	default:
		return fmt.Sprintf("%d GiB, %.2f used", i.Volume.Size, *i.Volume.Used)
	}
}

// connectLine is what a user types to be in the database; empty while there is no address.
func connectLine(i client.Instance, user, database string) string {
	if len(i.IP) == 0 {
		return ""
	}
	if user == "" {
		user = "USER"
	}
	program := map[string]string{"mariadb": "mariadb", "mysql": "mysql", "postgresql": "psql"}[i.Datastore.Type]
	switch program {
	case "":
		return ""
	case "psql":
		if database == "" {
			database = "DATABASE"
		}
		return fmt.Sprintf("psql -h %s -U %s %s", i.IP[0], user, database)
	default:
		return strings.TrimSpace(fmt.Sprintf("%s -h %s -u %s -p %s", program, i.IP[0], user, database))
	}
}
