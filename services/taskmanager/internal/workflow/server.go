package workflow

import (
	"context"
	"fmt"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// What several workflows do with an instance's server.

// bootstrap is the identity with which a new server's agent enrols.
func (p Parts) bootstrap(ctx context.Context, r *flow.Run) (step.Bootstrap, error) {
	issued, err := p.Signing.IssueBootstrap(ctx, &journalv1.IssueBootstrapRequest{Run: r.ID(), InstanceId: r.Instance.GetId()})
	if err != nil {
		return step.Bootstrap{}, fmt.Errorf("issue bootstrap certificate: %w", err)
	}
	return step.Bootstrap{CAPEM: issued.GetCaPem(), CertificatePEM: issued.GetCertificatePem(), KeyPEM: issued.GetKeyPem()}, nil
}

// enrol gives the agent of a new server its identity; one that has kept what it had is left as it is.
func (p Parts) enrol(ctx context.Context, r *flow.Run) error {
	sign := func(ctx context.Context, request []byte) ([]byte, error) {
		signed, err := p.Signing.SignGuest(ctx, &journalv1.SignGuestRequest{
			InstanceId: r.Instance.GetId(), CertificateRequest: request, Run: r.ID(),
		})
		if err != nil {
			return nil, fmt.Errorf("sign guest's certificate: %w", err)
		}
		return signed.GetCertificatePem(), nil
	}
	return p.Guests.Enroll(ctx, r.Instance.GetId(), r.Instance.GetGuestAddress(), sign)
}

// rebuild makes the instance's server anew, for a version and from an image; it keeps its volume and its address.
func (p Parts) rebuild(ctx context.Context, r *flow.Run, version *commandv1.DatastoreVersion, image string) error {
	now := r.Instance
	address, err := p.Ports.AllocateAddress(ctx, step.AddressSpec{InstanceID: now.GetId()})
	if err != nil {
		return fmt.Errorf("find address: %w", err)
	}
	volume, err := p.Volumes.CreateVolume(ctx, step.VolumeSpec{
		InstanceID: now.GetId(), Name: now.GetName(), Size: int(now.GetVolumeSize()),
	})
	if err != nil {
		return fmt.Errorf("find volume: %w", err)
	}
	bootstrap, err := p.bootstrap(ctx, r)
	if err != nil {
		return err
	}
	server, err := p.Servers.RebuildServer(ctx, step.ServerSpec{
		InstanceID: now.GetId(), Owner: owner(r), Name: now.GetName(), Flavor: flavor(now.GetFlavor()), Address: address, Volume: volume,
		Bootstrap: bootstrap, Manager: version.GetManager(), Version: version.GetVersion(), Image: image,
	})
	if err != nil {
		return fmt.Errorf("rebuild server: %w", err)
	}
	found(r, server)
	return nil
}

func owner(r *flow.Run) step.Owner {
	return step.Owner{ProjectID: r.Instance.GetProjectId(), TaskID: r.ID().GetTaskId()}
}

func flavor(f *commandv1.Flavor) step.Flavor {
	return step.Flavor{ID: f.GetId(), Name: f.GetName(), RAM: int(f.GetRam()), VCPUs: int(f.GetVcpus()), Disk: int(f.GetDisk())}
}

func (p Parts) rebootServer(ctx context.Context, r *flow.Run, hard bool) error {
	server, err := p.Servers.RebootServer(ctx, r.Instance.GetId(), hard)
	if err != nil {
		return fmt.Errorf("reboot server: %w", err)
	}
	found(r, server)
	return nil
}
