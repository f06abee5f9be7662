package gormstore

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// patch changes the fields that are set of the task's instance, and moves the quota that this takes or frees between the
// instance's row and the task.
func (u *unit) patch(task *taskRow, l *locked, p *journalv1.InstancePatch) error {
	before := l.holds()
	if err := l.patch(p); err != nil {
		return err
	}
	return u.moveQuota(task, before, l.holds())
}

// patchMember is patch for a member, with what went wrong with it.
func (u *unit) patchMember(task *taskRow, m *member, p *journalv1.InstancePatch) error {
	if p.Problem != nil && p.GetProblem() != m.held.Problem {
		m.held.Problem = p.GetProblem()
		if err := u.db.Save(&m.held).Error; err != nil {
			return err
		}
	}
	return u.patch(task, m.locked, p)
}

// patch changes the fields that are set.
func (l *locked) patch(p *journalv1.InstancePatch) error {
	if p == nil {
		return nil
	}
	l.Updated = l.unit.now.UnixMicro()
	if p.ServerId != nil {
		l.ServerID = p.GetServerId()
	}
	if p.VolumeId != nil {
		l.VolumeID = p.GetVolumeId()
	}
	if p.GuestAddress != nil {
		l.GuestAddress = p.GetGuestAddress()
	}
	if p.ServerStatus != nil {
		l.ServerStatus = status.Server(p.GetServerStatus())
	}
	if guest := p.GetGuestStatus(); guest != nil && l.outdates(guest) {
		l.heard(guest, l.unit.now)
	}
	if p.ReplicaOf != nil {
		l.ReplicaOf = p.GetReplicaOf()
	}
	if p.Fenced != nil {
		l.Fenced = p.GetFenced()
	}
	if flavor := p.GetFlavor(); flavor != nil {
		l.FlavorID, l.RAM = flavor.GetId(), int(flavor.GetRam())
	}
	if p.VolumeSize != nil {
		l.VolumeSize = int(p.GetVolumeSize())
	}
	if version := p.GetDatastoreVersion(); version != nil {
		l.DatastoreVersionID = version.GetId()
	}
	if access := p.GetAccess(); access != nil {
		public := access.GetIsPublic()
		if err := l.setAccess(&store.Access{IsPublic: &public, AllowedCIDRs: access.GetAllowedCidrs()}); err != nil {
			return err
		}
	}
	if p.GetAddresses() == nil {
		return nil
	}
	addresses := make([]store.Address, 0, len(p.GetAddresses().GetAddresses()))
	for _, a := range p.GetAddresses().GetAddresses() {
		addresses = append(addresses, store.Address{Address: a.GetAddress(), Type: a.GetType(), NetworkID: a.GetNetworkId()})
	}
	return l.setAddresses(addresses)
}

// outdates says whether a report is newer than the stored one: of a later life of the agent, or later in the same.
func (r *instanceRow) outdates(report *journalv1.GuestStatus) bool {
	if report.GetAgentLifeBegan() != r.AgentLifeBegan {
		return report.GetAgentLifeBegan() > r.AgentLifeBegan
	}
	return int64(report.GetSequence()) > r.AgentSequence //nolint:gosec // counts reports
}

// heard takes a report over.
func (r *instanceRow) heard(report *journalv1.GuestStatus, now time.Time) {
	r.AgentLifeBegan = report.GetAgentLifeBegan()
	r.AgentSequence = int64(report.GetSequence()) //nolint:gosec // counts reports
	r.ServiceStatus = status.Service(report.GetServiceStatus())
	if !r.ServiceStatus.Known() {
		r.ServiceStatus = status.ServiceUnknown
	}
	received := now.UnixMicro()
	r.ServiceStatusUpdated = &received
	r.Silent = false
	if volume := report.GetVolume(); volume != nil {
		r.VolumeUsedBytes = int64(volume.GetUsedBytes())   //nolint:gosec // no volume has 2^63 bytes
		r.VolumeTotalBytes = int64(volume.GetTotalBytes()) //nolint:gosec // no volume has 2^63 bytes
	}
}
