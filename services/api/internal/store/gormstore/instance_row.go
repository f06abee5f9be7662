package gormstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// instanceRow maps the table instances.
type instanceRow struct {
	ID                 string `gorm:"primaryKey"`
	ProjectID          string `gorm:"<-:create"`
	Name               string
	DatastoreVersionID string
	FlavorID           string
	RAM                int `gorm:"column:ram"`
	VolumeSize         int
	VolumeType         string
	Region             string
	AvailabilityZone   string
	Locality           string
	// Access and Addresses are JSON; empty for none.
	Access                  string
	TaskStatus              status.Task
	ServerStatus            status.Server
	ServiceStatus           status.Service
	ServiceStatusUpdated    *int64
	Silent                  bool
	AgentLifeBegan          int64
	AgentSequence           int64
	VolumeUsedBytes         int64
	VolumeTotalBytes        int64
	ServerID                string
	VolumeID                string
	GuestAddress            string
	Addresses               string
	FaultMessage            string
	FaultDetails            string
	FaultCreated            *int64
	GuestPublicKey          []byte
	GuestCertificateExpires *int64
	ReplicaOf               string
	Fenced                  bool
	EverActive              bool
	HeldBy                  string
	Epoch                   int64
	TasksAccepted           int64
	Created                 int64 `gorm:"<-:create"`
	Updated                 int64
	Deleted                 *int64
}

func (instanceRow) TableName() string { return "instances" }

func newInstanceRow(i store.Instance, now time.Time) (instanceRow, error) {
	row := instanceRow{
		ID: i.ID, ProjectID: i.ProjectID, Name: i.Name, DatastoreVersionID: i.DatastoreVersionID, FlavorID: i.FlavorID,
		RAM: i.RAM, VolumeSize: i.VolumeSize, VolumeType: i.VolumeType, Region: i.Region,
		AvailabilityZone: i.AvailabilityZone, Locality: i.Locality,
		TaskStatus: i.TaskStatus, ServerStatus: i.ServerStatus, ServiceStatus: i.ServiceStatus,
		ServerID: i.ServerID, VolumeID: i.VolumeID, GuestAddress: i.GuestAddress, ReplicaOf: i.ReplicaOf,
		Created: now.UnixMicro(), Updated: now.UnixMicro(),
	}
	if !i.ServiceStatusUpdated.IsZero() {
		row.ServiceStatusUpdated = micros(&i.ServiceStatusUpdated)
	}
	return row, errors.Join(row.setAccess(i.Access), row.setAddresses(i.Addresses))
}

func (r *instanceRow) setAccess(access *store.Access) error {
	r.Access = ""
	if access == nil {
		return nil
	}
	written, err := json.Marshal(access)
	if err != nil {
		return fmt.Errorf("write access: %w", err)
	}
	r.Access = string(written)
	return nil
}

func (r *instanceRow) setAddresses(addresses []store.Address) error {
	r.Addresses = ""
	if len(addresses) == 0 {
		return nil
	}
	written, err := json.Marshal(addresses)
	if err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	r.Addresses = string(written)
	return nil
}

func (r *instanceRow) setFault(f *store.Fault, now time.Time) {
	if f == nil {
		r.FaultMessage, r.FaultDetails, r.FaultCreated = "", "", nil
		return
	}
	created := f.Created
	if created.IsZero() {
		created = now
	}
	r.FaultMessage, r.FaultDetails, r.FaultCreated = f.Message, f.Details, micros(&created)
}

// plain is the instance without what has to be decoded: access and addresses.
func (r *instanceRow) plain() store.Instance {
	i := store.Instance{
		ID: r.ID, ProjectID: r.ProjectID, Name: r.Name, DatastoreVersionID: r.DatastoreVersionID, FlavorID: r.FlavorID,
		RAM: r.RAM, VolumeSize: r.VolumeSize, VolumeType: r.VolumeType, Region: r.Region,
		AvailabilityZone: r.AvailabilityZone, Locality: r.Locality,
		TaskStatus: r.TaskStatus, ServerStatus: r.ServerStatus, ServiceStatus: r.ServiceStatus, Silent: r.Silent,
		VolumeUsedBytes:  uint64(r.VolumeUsedBytes),  //nolint:gosec // written from one
		VolumeTotalBytes: uint64(r.VolumeTotalBytes), //nolint:gosec // written from one
		ServerID:         r.ServerID, VolumeID: r.VolumeID, GuestAddress: r.GuestAddress,
		ReplicaOf: r.ReplicaOf, Fenced: r.Fenced, EverActive: r.EverActive, HeldBy: r.HeldBy,
		Epoch: r.Epoch, Created: instant(r.Created), Updated: instant(r.Updated), Deleted: instantOrNil(r.Deleted),
	}
	if r.ServiceStatusUpdated != nil {
		i.ServiceStatusUpdated = instant(*r.ServiceStatusUpdated)
	}
	if r.FaultCreated != nil {
		i.Fault = &store.Fault{Message: r.FaultMessage, Details: r.FaultDetails, Created: instant(*r.FaultCreated)}
	}
	return i
}

func (r *instanceRow) instance() (store.Instance, error) {
	i := r.plain()
	if r.Access != "" {
		if err := json.Unmarshal([]byte(r.Access), &i.Access); err != nil {
			return i, fmt.Errorf("read access of instance %s: %w", r.ID, err)
		}
	}
	if r.Addresses != "" {
		if err := json.Unmarshal([]byte(r.Addresses), &i.Addresses); err != nil {
			return i, fmt.Errorf("read addresses of instance %s: %w", r.ID, err)
		}
	}
	return i, nil
}
