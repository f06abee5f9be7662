package workflow

import (
	"context"
	"time"

	"google.golang.org/grpc"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Signing is what workflows need of journalv1.SigningServiceClient.
type Signing interface {
	IssueBootstrap(context.Context, *journalv1.IssueBootstrapRequest, ...grpc.CallOption) (*journalv1.IssueBootstrapResponse, error)
	SignGuest(context.Context, *journalv1.SignGuestRequest, ...grpc.CallOption) (*journalv1.SignGuestResponse, error)
}

// Parts are what the workflows act on.
type Parts struct {
	Servers step.Servers
	Volumes step.Volumes
	Ports   step.Ports
	Guests  step.Guests
	Signing Signing
	// Directory finds the guests of other instances.
	Directory step.Directory
	// BootLimit is how long a new server may take until its agent has enrolled.
	BootLimit time.Duration
	// CatchUpLimit is how long a promotion waits for its replica to be level with the source, before it has changed anything.
	CatchUpLimit time.Duration
	// KeepFailed leaves what a failed create has made, to be looked at, until the instance is deleted.
	KeepFailed bool
}

// All are the workflows of all actions.
func All(parts Parts) []*flow.Workflow {
	return []*flow.Workflow{
		createInstance(parts),
		restartInstance(parts),
		deleteInstance(parts),
		resizeFlavor(parts),
		resizeVolume(parts),
		upgradeInstance(parts),
		updateAccess(parts),
		stopInstance(parts),
		rebootInstance(parts),
		migrateInstance(parts),
		rebuildInstance(parts),
		createReplica(parts),
		detachReplica(parts),
		promoteToReplicaSource(parts),
		ejectReplicaSource(parts),
	}
}
