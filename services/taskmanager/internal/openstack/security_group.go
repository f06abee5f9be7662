package openstack

import (
	"context"
	"net/http"
	"net/netip"
	"slices"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/rules"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// transferPort is where a source's agent listens while a replica copies it.
const transferPort = 4444

// opening is one rule: who comes in at which port, by TCP.
type opening struct {
	port int
	// from is a network; group stands for the ports of a security group instead.
	from, group string
}

// instanceGroup says who may reach one database.
func (p *Provider) instanceGroup(ctx context.Context, instanceID string) (id string, err error) {
	return p.group(ctx, p.mark(instanceID), "who may reach Coffer instance "+instanceID)
}

// membersGroup lets the databases of one project reach each other, for replication, whatever their rules for clients.
func (p *Provider) membersGroup(ctx context.Context, projectID string) (string, error) {
	id, err := p.sharedGroup(ctx, p.membersName(projectID), "Coffer's databases of project "+projectID+" among themselves")
	if err != nil {
		return "", err
	}
	wanted := []opening{{port: transferPort, group: id}}
	for _, kind := range dbserver.Kinds {
		wanted = append(wanted, opening{port: kind.Port, group: id})
	}
	return id, p.open(ctx, id, wanted)
}

// managementGroup lets taskmanagers reach agents.
func (p *Provider) managementGroup(ctx context.Context) (string, error) {
	id, err := p.sharedGroup(ctx, p.managementName(), "Coffer's taskmanagers to its guest agents")
	if err != nil {
		return "", err
	}
	var wanted []opening
	for _, caller := range p.callers {
		wanted = append(wanted, opening{port: step.AgentPort, from: caller})
	}
	return id, p.open(ctx, id, wanted)
}

func (p *Provider) membersName(projectID string) string {
	return p.cfg.Deployment + "-members-" + projectID
}

func (p *Provider) managementName() string { return p.cfg.Deployment + "-management" }

// sharedGroup lets one caller at a time find or make a group that several instances use.
func (p *Provider) sharedGroup(ctx context.Context, name, description string) (string, error) {
	p.groups.Lock()
	defer p.groups.Unlock()
	return p.group(ctx, name, description)
}

// group finds or makes a security group. Of several that interrupted attempts have left, the oldest counts.
func (p *Provider) group(ctx context.Context, name, description string) (string, error) {
	found, err := p.groupsNamed(ctx, name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return found[0].ID, nil
	}
	made, err := groups.Create(ctx, p.network, groups.CreateOpts{Name: name, Description: description}).Extract()
	if err != nil {
		return "", fault(neutron, "create security group "+name, err)
	}
	return made.ID, nil
}

// groupsNamed are ours of that name, the oldest first.
func (p *Provider) groupsNamed(ctx context.Context, name string) ([]groups.SecGroup, error) {
	found, err := cloud.All(ctx, groups.List(p.network, groups.ListOpts{Name: name, ProjectID: p.project}), groups.ExtractGroups)
	slices.SortFunc(found, func(a, b groups.SecGroup) int { return older(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
	return found, fault(neutron, "find security group "+name, err)
}

// open makes a group let in exactly these: what is missing is added first, what is too much is removed then.
func (p *Provider) open(ctx context.Context, groupID string, wanted []opening) error {
	there, err := cloud.All(ctx, rules.List(p.network, rules.ListOpts{SecGroupID: groupID, Direction: string(rules.DirIngress)}), rules.ExtractRules)
	if err != nil {
		return fault(neutron, "list the rules of security group "+groupID, err)
	}
	known := map[opening]bool{}
	for _, rule := range there {
		known[openingOf(rule)] = true
	}
	for _, one := range wanted {
		if known[one] {
			continue
		}
		_, err := rules.Create(ctx, p.network, rules.CreateOpts{
			SecGroupID: groupID, Direction: rules.DirIngress, EtherType: etherType(one.from), Protocol: rules.ProtocolTCP,
			PortRangeMin: one.port, PortRangeMax: one.port, RemoteIPPrefix: one.from, RemoteGroupID: one.group,
		}).Extract()
		// 409: somebody has made the same rule meanwhile.
		if err != nil && !gophercloud.ResponseCodeIs(err, http.StatusConflict) {
			return fault(neutron, "add a rule to security group "+groupID, err)
		}
	}
	for _, rule := range there {
		if slices.Contains(wanted, openingOf(rule)) {
			continue
		}
		err := rules.Delete(ctx, p.network, rule.ID).ExtractErr()
		if err := orGone(fault(neutron, "remove a rule of security group "+groupID, err)); err != nil {
			return err
		}
	}
	return nil
}

func openingOf(rule rules.SecGroupRule) opening {
	if rule.Protocol != string(rules.ProtocolTCP) || rule.PortRangeMin != rule.PortRangeMax {
		return opening{}
	}
	return opening{port: rule.PortRangeMin, from: rule.RemoteIPPrefix, group: rule.RemoteGroupID}
}

func etherType(network string) rules.RuleEtherType {
	if prefix, err := netip.ParsePrefix(network); err == nil && prefix.Addr().Is6() {
		return rules.EtherType6
	}
	return rules.EtherType4
}

// deleteGroups deletes the instance's own group, and those it shared that nobody uses any more.
func (p *Provider) deleteGroups(ctx context.Context, instanceID string) error {
	found, err := cloud.All(ctx, groups.List(p.network, groups.ListOpts{ProjectID: p.project}), groups.ExtractGroups)
	if err != nil {
		return fault(neutron, "list security groups", err)
	}
	for _, group := range found {
		shared := p.isShared(group.Name)
		if !shared && group.Name != p.mark(instanceID) {
			continue
		}
		err := groups.Delete(ctx, p.network, group.ID).ExtractErr()
		if shared && gophercloud.ResponseCodeIs(err, http.StatusConflict) {
			continue
		}
		if err := orGone(fault(neutron, "delete security group "+group.Name, err)); err != nil {
			return err
		}
	}
	return nil
}
