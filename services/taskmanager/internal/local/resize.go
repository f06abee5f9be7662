package local

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// ResizeServer writes the new size first and keeps the former one beside it until it is confirmed or reverted: whoever
// comes after a crash restarts the server once more.
func (p *Provider) ResizeServer(ctx context.Context, instanceID string, flavor step.Flavor) (step.Server, error) {
	if flavor.RAM < 1 {
		return step.Server{}, errs.New(errs.Invalid, "FLAVOR", "A server has at least 1 MiB of memory.")
	}
	release, s, err := p.holdServer(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()
	if s.FormerMemoryBytes == 0 {
		s.FormerMemoryBytes = s.MemoryBytes
	}
	s.MemoryBytes = int64(flavor.RAM) << 20
	return p.restarted(ctx, s)
}

// ConfirmResize forgets the former size.
func (p *Provider) ConfirmResize(ctx context.Context, instanceID string) error {
	release, s, err := p.holdServer(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	return p.forgetFormerSize(s)
}

// RevertResize forgets the former size when the server has it again.
func (p *Provider) RevertResize(ctx context.Context, instanceID string) (step.Server, error) {
	release, s, err := p.holdServer(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()
	if s.FormerMemoryBytes == 0 {
		return p.running(ctx, s)
	}
	s.MemoryBytes = s.FormerMemoryBytes
	server, err := p.restarted(ctx, s)
	if err != nil {
		return step.Server{}, err
	}
	return server, p.forgetFormerSize(s)
}

func (p *Provider) forgetFormerSize(s serverFile) error {
	if s.FormerMemoryBytes == 0 {
		return nil
	}
	s.FormerMemoryBytes = 0
	if err := writeJSON(p.folder.serverFile(s.InstanceID), s); err != nil {
		return hostFailure("SERVER", "The server's size could not be written", err)
	}
	return nil
}

// restarted writes what the server is from now on, and restarts it in order.
func (p *Provider) restarted(ctx context.Context, s serverFile) (step.Server, error) {
	if s.Off {
		return step.Server{}, errOff
	}
	err := writeJSON(p.folder.serverFile(s.InstanceID), s)
	if err == nil {
		err = p.stopServer(ctx, s.InstanceID)
	}
	if err != nil {
		return step.Server{}, hostFailure("SERVER", "The server could not be restarted", err)
	}
	return p.running(ctx, s)
}
