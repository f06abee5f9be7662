package openstack

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Keys of a server's metadata.
const (
	// keyGuest is where the agent is dialled, host:port.
	keyGuest = "coffer_guest"
	// keyManager and keyVersion are the datastore that the server was built for.
	keyManager = "coffer_manager"
	keyVersion = "coffer_version"
	// keyInstance, keyProject and keyTask say for people and for the sweeper whose it is and which task made it.
	keyInstance = "coffer_instance"
	keyProject  = "coffer_project"
	keyTask     = "coffer_task"
)

// mark stands on all that is made for an instance.
func (p *Provider) mark(instanceID string) string { return p.cfg.Deployment + "-" + instanceID }

// markOf is the instance's id in a mark, which more may follow behind a dash; empty when it is none of this deployment's.
func (p *Provider) markOf(text string) (instanceID string) {
	rest, ours := strings.CutPrefix(text, p.cfg.Deployment+"-")
	const length = len("00000000-0000-0000-0000-000000000000")
	if !ours || len(rest) < length || len(rest) > length && rest[length] != '-' {
		return ""
	}
	id := rest[:length]
	if validID(id) != nil {
		return ""
	}
	return id
}

// older orders what interrupted attempts have made under the same name: of several the oldest counts, for all who look.
func older(a, b time.Time, aID, bID string) int { return cmp.Or(a.Compare(b), cmp.Compare(aID, bID)) }

// noted is what stands on servers and volumes for people and for the sweeper.
func noted(instanceID string, owner step.Owner) map[string]string {
	all := map[string]string{keyInstance: instanceID, keyProject: owner.ProjectID, keyTask: owner.TaskID}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// validID keeps what is no instance's id out of names and queries.
func validID(id string) error {
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return errs.New(errs.Invalid, "INSTANCE_ID_INVALID", "%q is not the id of an instance.", id)
	}
	return nil
}

// isShared says whether a security group is one that several instances of this deployment use.
func (p *Provider) isShared(name string) bool {
	return name == p.managementName() || strings.HasPrefix(name, p.membersName(""))
}
