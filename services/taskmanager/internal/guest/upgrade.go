package guest

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// PrepareUpgrade stops the database and keeps a clone of its data.
func (g *Guest) PrepareUpgrade(ctx context.Context, request *guestagentv1.PrepareUpgradeRequest, say func(string)) error {
	stream, err := g.client.PrepareUpgrade(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// UpgradeDatabase converts the data and starts the database.
func (g *Guest) UpgradeDatabase(ctx context.Context, request *guestagentv1.UpgradeDatabaseRequest, say func(string)) error {
	stream, err := g.client.UpgradeDatabase(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// RevertUpgrade puts the clone back and starts the database.
func (g *Guest) RevertUpgrade(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.RevertUpgrade(ctx, &guestagentv1.RevertUpgradeRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// FinishUpgrade removes what was kept for the way back.
func (g *Guest) FinishUpgrade(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.FinishUpgrade(ctx, &guestagentv1.FinishUpgradeRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}
