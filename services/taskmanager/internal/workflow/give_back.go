package workflow

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// What an instance took is given back by the same three functions whether it is deleted or its creation is undone.

func (p Parts) deleteServer(ctx context.Context, r *flow.Run) error {
	p.Guests.Forget(r.Instance.GetId())
	if err := p.Servers.DeleteServer(ctx, r.Instance.GetId()); err != nil {
		return fmt.Errorf("delete server: %w", err)
	}
	r.Change(&journalv1.InstancePatch{
		ServerId: proto.String(""), GuestAddress: proto.String(""), ServerStatus: proto.String(string(status.ServerDeleted)),
	})
	return nil
}

func (p Parts) deleteVolume(ctx context.Context, r *flow.Run) error {
	if err := p.Volumes.DeleteVolume(ctx, r.Instance.GetId()); err != nil {
		return fmt.Errorf("delete volume: %w", err)
	}
	r.Change(&journalv1.InstancePatch{VolumeId: proto.String("")})
	return nil
}

func (p Parts) releaseAddress(ctx context.Context, r *flow.Run) error {
	if err := p.Ports.ReleaseAddress(ctx, r.Instance.GetId()); err != nil {
		return fmt.Errorf("release address: %w", err)
	}
	r.Change(&journalv1.InstancePatch{Addresses: &journalv1.InstanceAddresses{}})
	return nil
}
