package gormstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// lifeSignInterval is how often a report that says nothing new is written: often enough that no reader takes the
// guest for silent, seldom enough that an idle control plane stays idle.
const lifeSignInterval = 30 * time.Second

// JoinMonitors renews the worker among the living, or takes it out, and answers with all of them.
func (s *Store) JoinMonitors(ctx context.Context, worker string, lease time.Duration, leave bool) ([]string, error) {
	var living []string
	err := s.writer.write(ctx, "join the monitors", func(u *unit) error {
		if err := u.db.Where("expires <= ? OR worker = ?", u.now.UnixMicro(), worker).Delete(&monitorRow{}).Error; err != nil {
			return err
		}
		if !leave {
			row := &monitorRow{Worker: worker, Expires: u.now.Add(lease).UnixMicro()}
			if err := u.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(row).Error; err != nil {
				return err
			}
		}
		living = nil
		return u.db.Model(&monitorRow{}).Order("worker").Pluck("worker", &living).Error
	})
	return living, err
}

// ListGuests lists living instances whose agent can be dialled.
func (s *Store) ListGuests(ctx context.Context) ([]store.Guest, error) {
	var rows []instanceRow
	err := s.reading(ctx).Select("id", "guest_address", "guest_certificate_expires").
		Where("deleted IS NULL AND guest_address <> ''").Order("id").Find(&rows).Error
	if err != nil {
		return nil, translate("list guests", err)
	}
	guests := make([]store.Guest, 0, len(rows))
	for _, row := range rows {
		guest := store.Guest{InstanceID: row.ID, GuestAddress: row.GuestAddress}
		if row.GuestCertificateExpires != nil {
			guest.CertificateExpires = instant(*row.GuestCertificateExpires)
		}
		guests = append(guests, guest)
	}
	return guests, nil
}

// FindInstances sorts the instances that it knows.
func (s *Store) FindInstances(ctx context.Context, ids []string) (living, deleted []string, err error) {
	for some := range slices.Chunk(ids, maxIDs) {
		var rows []instanceRow
		if err := s.reading(ctx).Select("id", "deleted").Where("id IN ?", some).Find(&rows).Error; err != nil {
			return nil, nil, translate("find instances", err)
		}
		for _, row := range rows {
			if row.Deleted == nil {
				living = append(living, row.ID)
			} else {
				deleted = append(deleted, row.ID)
			}
		}
	}
	return living, deleted, nil
}

// maxIDs is how many ids one query names: databases bound the parameters of a statement.
const maxIDs = 500

// ReportGuest stores what a monitor learnt of a guest.
func (s *Store) ReportGuest(ctx context.Context, r store.GuestReport) error {
	known, err := s.living(ctx, r.InstanceID)
	if err != nil {
		return translate("read an instance", err)
	}
	if !known.news(r.Status, s.clock()) {
		return nil
	}
	return s.report(ctx, "report a guest", r.InstanceID, func(l *locked) bool {
		if !l.news(r.Status, l.unit.now) {
			return false
		}
		if r.Status == nil {
			l.Silent = true
		} else {
			l.heard(r.Status, l.unit.now)
		}
		return true
	})
}

// news says whether a report is worth writing; no report at all says that the guest is silent.
func (r *instanceRow) news(report *journalv1.GuestStatus, now time.Time) bool {
	if report == nil {
		return !r.Silent
	}
	if !r.outdates(report) {
		return false
	}
	return r.Silent || report.GetServiceStatus() != string(r.ServiceStatus) ||
		report.GetAgentLifeBegan() != r.AgentLifeBegan ||
		r.ServiceStatusUpdated == nil || now.Sub(instant(*r.ServiceStatusUpdated)) >= lifeSignInterval
}

// ReportServer stores what compute says of the server.
func (s *Store) ReportServer(ctx context.Context, instanceID string, server status.Server) error {
	return s.report(ctx, "report a server", instanceID, func(l *locked) bool {
		changed := l.ServerStatus != server
		l.ServerStatus = server
		return changed
	})
}

// report changes a living instance's row under its lock and saves it if the change says so.
func (s *Store) report(ctx context.Context, doing, instanceID string, change func(*locked) bool) error {
	return s.writer.write(ctx, doing, func(u *unit) error {
		instance, err := u.lock(instanceID)
		if err != nil {
			return err
		}
		if instance.Deleted != nil {
			return store.ErrNotFound
		}
		if !change(instance) {
			return nil
		}
		return instance.save()
	})
}

// GuestKey is the recorded public key of the guest.
func (s *Store) GuestKey(ctx context.Context, instanceID string) ([]byte, error) {
	var row instanceRow
	err := s.reading(ctx).Select("guest_public_key").
		Where("id = ? AND deleted IS NULL", instanceID).Take(&row).Error
	return row.GuestPublicKey, translate("read a guest's key", err)
}

// SaveGuestCertificate records key and end of a newly signed certificate.
func (s *Store) SaveGuestCertificate(ctx context.Context, instanceID string, publicKey []byte, expires time.Time) error {
	return s.report(ctx, "record a guest's certificate", instanceID, func(l *locked) bool {
		l.GuestPublicKey = publicKey
		l.GuestCertificateExpires = micros(&expires)
		return true
	})
}
