package openstack

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Nova's words for a server's status.
const (
	novaActive        = "ACTIVE"
	novaBuild         = "BUILD"
	novaDeleted       = "DELETED"
	novaError         = "ERROR"
	novaShutoff       = "SHUTOFF"
	novaSoftDeleted   = "SOFT_DELETED"
	novaVerifyResize  = "VERIFY_RESIZE"
	novaPaused        = "PAUSED"
	novaSuspended     = "SUSPENDED"
	novaShelved       = "SHELVED"
	novaShelvedUnload = "SHELVED_OFFLOADED"
)

// recently is how far back a list of servers that changed reaches. Whoever waits for one has just had it changed.
const recently = time.Hour

// Server answers with the instance's server.
func (p *Provider) Server(ctx context.Context, instanceID string) (step.Server, error) {
	found, err := p.server(ctx, instanceID)
	if err == nil {
		found, err = p.withFault(ctx, found)
	}
	if err != nil {
		return step.Server{}, err
	}
	return told(instanceID, found), nil
}

// withFault is a server in ERROR with the reason: lists of servers leave it out.
func (p *Provider) withFault(ctx context.Context, s *servers.Server) (*servers.Server, error) {
	if s.Status != novaError || s.Fault.Message != "" {
		return s, nil
	}
	return p.getServer(ctx, s.ID)
}

// told is what Coffer's words are for a server.
func told(instanceID string, s *servers.Server) step.Server {
	return step.Server{
		ID: s.ID, InstanceID: instanceID, Status: statusOf(s), Fault: faultOf(s), GuestAddress: s.Metadata[keyGuest],
	}
}

func statusOf(s *servers.Server) string {
	switch s.Status {
	case novaBuild:
		return "BUILD"
	case novaError:
		return "ERROR"
	case novaShutoff, novaPaused, novaSuspended, novaShelved, novaShelvedUnload, novaSoftDeleted:
		return "SHUTDOWN"
	default:
		// Whatever else is done to it, it runs or is about to.
		return "ACTIVE"
	}
}

func faultOf(s *servers.Server) string {
	if s.Status != novaError || s.Fault.Message == "" {
		return ""
	}
	return nova + ": " + s.Fault.Message
}

// server is the instance's one server; NotFound when there is none.
func (p *Provider) server(ctx context.Context, instanceID string) (*servers.Server, error) {
	found, err := p.serversOf(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.New(errs.NotFound, "SERVER_NOT_FOUND", "Instance %s has no server.", instanceID)
	}
	first := slices.MinFunc(found, func(a, b servers.Server) int { return older(a.Created, b.Created, a.ID, b.ID) })
	return &first, nil
}

func (p *Provider) serversOf(ctx context.Context, instanceID string) ([]servers.Server, error) {
	if err := validID(instanceID); err != nil {
		return nil, err
	}
	found, err := cloud.All(ctx, servers.List(p.compute, servers.ListOpts{Tags: p.mark(instanceID)}), servers.ExtractServers)
	if err != nil {
		return nil, fault(nova, "find the server of instance "+instanceID, err)
	}
	return found, nil
}

func (p *Provider) getServer(ctx context.Context, id string) (*servers.Server, error) {
	found, err := servers.Get(ctx, p.compute, id).Extract()
	return found, fault(nova, "look at server "+id, err)
}

func (p *Provider) recentServers(ctx context.Context) (map[string]*servers.Server, error) {
	found, err := p.changedServers(ctx, time.Now().Add(-recently))
	byID := make(map[string]*servers.Server, len(found))
	for n := range found {
		if found[n].Status != novaDeleted {
			byID[found[n].ID] = &found[n]
		}
	}
	return byID, err
}

// changedServers are the deployment's that have changed since, those that are gone among them, or all that there are now.
func (p *Provider) changedServers(ctx context.Context, since time.Time) ([]servers.Server, error) {
	query := servers.ListOpts{Tags: p.cfg.Deployment}
	if !since.IsZero() {
		query.ChangesSince = since.UTC().Format(time.RFC3339)
	}
	found, err := cloud.All(ctx, servers.List(p.compute, query), servers.ExtractServers)
	return found, fault(nova, "list servers", err)
}

// awaitServer looks until the server has one of the statuses and nothing more is being done to it. A server in ERROR is the
// end of it, with Nova's own fault.
func (p *Provider) awaitServer(ctx context.Context, id, doing string, wanted ...string) (*servers.Server, error) {
	return p.servers.until(ctx, id, func(seen *servers.Server, err error) (bool, error) {
		if err != nil {
			return false, err
		}
		if seen.Status == novaError && seen.TaskState == "" {
			return false, p.brokenServer(ctx, seen, doing)
		}
		if seen.TaskState != "" {
			return false, nil
		}
		return slices.Contains(wanted, seen.Status), nil
	})
}

// brokenServer tells of a server in ERROR.
func (p *Provider) brokenServer(ctx context.Context, s *servers.Server, doing string) error {
	s, err := p.withFault(ctx, s)
	if err != nil {
		return err
	}
	said := s.Fault.Message
	if said == "" {
		said = "Nova does not say why"
	}
	if s.Fault.Code != 0 {
		said += " (" + strconv.Itoa(s.Fault.Code) + ")"
	}
	return errs.New(errs.WrongState, "SERVER_ERROR", "%s could not %s: %s", nova, doing, closed(said))
}

// mark of the deployment and of the instance.
func (p *Provider) tags(instanceID string) []string {
	return []string{p.cfg.Deployment, p.mark(instanceID)}
}
