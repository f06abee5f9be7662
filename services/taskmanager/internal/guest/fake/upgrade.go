package fake

import (
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// PrepareUpgrade pretends to stop the database and to clone its data.
func (a *Agent) PrepareUpgrade(
	request *guestagentv1.PrepareUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareUpgradeResponse],
) error {
	return a.operate("PrepareUpgrade", request.GetOperation(), func() error {
		a.become(status.ServiceShutdown, "")
		return nil
	},
		func(p *guestagentv1.Progress) error {
			return stream.Send(&guestagentv1.PrepareUpgradeResponse{Progress: p})
		})
}

// UpgradeDatabase pretends to convert the data.
func (a *Agent) UpgradeDatabase(
	request *guestagentv1.UpgradeDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.UpgradeDatabaseResponse],
) error {
	return a.operate("UpgradeDatabase", request.GetOperation(), a.begin, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.UpgradeDatabaseResponse{Progress: p})
	})
}

// RevertUpgrade pretends to put the clone back.
func (a *Agent) RevertUpgrade(
	request *guestagentv1.RevertUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.RevertUpgradeResponse],
) error {
	return a.operate("RevertUpgrade", request.GetOperation(), a.begin, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.RevertUpgradeResponse{Progress: p})
	})
}

// FinishUpgrade pretends to remove the clone.
func (a *Agent) FinishUpgrade(
	request *guestagentv1.FinishUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.FinishUpgradeResponse],
) error {
	return a.operate("FinishUpgrade", request.GetOperation(), func() error { return nil }, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.FinishUpgradeResponse{Progress: p})
	})
}
