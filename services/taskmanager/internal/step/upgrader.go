package step

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Upgrader is what workflows ask of an agent whose database shall run another version of its engine. Between PrepareUpgrade
// and either RevertUpgrade or FinishUpgrade the database runs only when it has been asked to by one of these.
type Upgrader interface {
	// PrepareUpgrade stops the database and keeps a clone of its data, while the old version is there.
	PrepareUpgrade(ctx context.Context, request *guestagentv1.PrepareUpgradeRequest, say func(string)) error
	// UpgradeDatabase converts the data and starts the database, when the new version is there.
	UpgradeDatabase(ctx context.Context, request *guestagentv1.UpgradeDatabaseRequest, say func(string)) error
	// RevertUpgrade puts the clone back, if the data were touched, and starts the database, when the old version is there
	// again. Without a PrepareUpgrade before it only starts the database.
	RevertUpgrade(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
	// FinishUpgrade removes what was kept for the way back.
	FinishUpgrade(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
}
