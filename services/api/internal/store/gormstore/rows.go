package gormstore

import (
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

type secretRow struct {
	TaskID     string `gorm:"primaryKey"`
	InstanceID string
	Sealed     []byte
}

func (secretRow) TableName() string { return "task_secrets" }

type idempotencyRow struct {
	ProjectID      string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	Fingerprint    []byte
	// TaskID is nil where the call made no task, or several.
	TaskID *string
	// Outcomes is JSON: those of a call that made several tasks.
	Outcomes string
	Expires  int64
}

func (idempotencyRow) TableName() string { return "idempotency_keys" }

type memberRow struct {
	TaskID     string `gorm:"primaryKey"`
	InstanceID string `gorm:"primaryKey"`
	// StatusBefore is the task status to go back to when no run ever starts the task.
	StatusBefore status.Task `gorm:"<-:create"`
	Problem      string
}

func (memberRow) TableName() string { return "task_members" }

type quotaUsageRow struct {
	ProjectID string         `gorm:"primaryKey"`
	Resource  store.Resource `gorm:"primaryKey"`
	InUse     int
}

func (quotaUsageRow) TableName() string { return "quota_usage" }

type quotaLimitRow struct {
	ProjectID string         `gorm:"primaryKey"`
	Resource  store.Resource `gorm:"primaryKey"`
	HardLimit int
}

func (quotaLimitRow) TableName() string { return "quota_limits" }

type outboxRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement"`
	Subject   string
	MessageID string
	Payload   []byte
}

func (outboxRow) TableName() string { return "outbox" }

type monitorRow struct {
	Worker  string `gorm:"primaryKey"`
	Expires int64
}

func (monitorRow) TableName() string { return "monitors" }

type datastoreRow struct {
	ID   string `gorm:"primaryKey"`
	Name string
}

func (datastoreRow) TableName() string { return "datastores" }

type datastoreVersionRow struct {
	ID          string `gorm:"primaryKey"`
	DatastoreID string
	Manager     string
	Name        string
	Version     string
	Active      bool
	IsDefault   bool
}

func (datastoreVersionRow) TableName() string { return "datastore_versions" }

type providerRow struct {
	ID           int `gorm:"primaryKey;autoIncrement:false"`
	Registration []byte
}

func (providerRow) TableName() string { return "provider" }

type tokenRow struct {
	Hash    []byte `gorm:"primaryKey"`
	UserID  string
	Payload []byte
	Expires int64
}

func (tokenRow) TableName() string { return "tokens" }

// models are all tables; a test compares them with the migrated schema.
var models = []any{
	&instanceRow{}, &taskRow{}, &memberRow{}, &secretRow{}, &idempotencyRow{}, &quotaUsageRow{}, &quotaLimitRow{}, &outboxRow{},
	&monitorRow{}, &datastoreRow{}, &datastoreVersionRow{}, &providerRow{}, &tokenRow{},
}
