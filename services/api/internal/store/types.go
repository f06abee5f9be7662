package store

import (
	"time"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// OutboxMessage is a message that was committed and not yet acknowledged by NATS.
type OutboxMessage struct {
	ID int64
	// Subject is where it goes: pkg/bus has the forms.
	Subject string
	// MessageID is the Nats-Msg-Id.
	MessageID string
	Payload   []byte
}

// DatastoreVersion is a version of an engine that can be created.
type DatastoreVersion struct {
	ID            string
	DatastoreID   string
	DatastoreName string
	Manager       string
	Name          string
	Version       string
	Active        bool
	// Default says that it is its datastore's default version.
	Default bool
}

// Catalog is what the provider offers, as it was last registered.
type Catalog struct {
	Provider          *journalv1.RegisterProviderRequest
	DatastoreVersions []DatastoreVersion
}

// Guest is what is known of an instance's agent.
type Guest struct {
	InstanceID         string
	GuestAddress       string
	CertificateExpires time.Time
}

// GuestReport is what a monitor learnt of a guest; Status is nil when the guest is silent.
type GuestReport struct {
	Worker     string
	InstanceID string
	Status     *journalv1.GuestStatus
}

// Token is an issued token of the built-in identity; only a hash of it is kept.
type Token struct {
	Hash    []byte
	UserID  string
	Payload []byte
	Expires time.Time
}
