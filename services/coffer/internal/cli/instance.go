package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func newInstance(s *session) *cobra.Command {
	command := newGroup("instance", "Create, see, change and delete database instances and their replicas", groupUse)
	command.AddCommand(
		newInstanceList(s), newInstanceShow(s), newInstanceConfiguration(s), newInstanceBackups(s),
		newInstanceCreate(s), newInstanceRestart(s), newInstanceDelete(s), newInstanceForceDelete(s), newInstanceResetStatus(s),
		newInstanceRename(s), newInstanceResize(s), newInstanceUpgrade(s), newInstanceAccess(s),
		newInstancePromote(s), newInstanceEject(s), newInstanceDetach(s),
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
		{"access", accessWords(i.Access)},
		{"replica of", sourceOf(i)},
		{"replicas", strings.Join(references(i.Replicas), ", ")},
		{"locality", i.Locality},
		{"region", i.Region},
		{"created", i.Created},
		{"updated", i.Updated},
	}
	if i.Fault != nil {
		fields = append(fields, [2]string{"fault", i.Fault.Message})
	}
	return fields
}

func accessWords(a client.Access) string {
	var words []string
	if a.IsPublic != nil && *a.IsPublic {
		words = append(words, "public")
	}
	if len(a.AllowedCIDRs) > 0 {
		words = append(words, "from "+strings.Join(a.AllowedCIDRs, ", "))
	}
	return strings.Join(words, " ")
}

// sourceOf is the id of the source that a replica follows; empty for what is no replica.
func sourceOf(i client.Instance) string {
	if i.ReplicaOf == nil {
		return ""
	}
	return i.ReplicaOf.ID
}

func references(list []client.Reference) []string {
	ids := make([]string, 0, len(list))
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
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
