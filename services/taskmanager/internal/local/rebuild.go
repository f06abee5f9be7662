package local

import (
	"context"
	"net/netip"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// RebuildServer describes the server anew and restarts it. The agent's folder is all that a rebuilt machine would lose,
// and there is no reason to: an agent that has enrolled keeps its identity.
func (p *Provider) RebuildServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	if err := p.checkServer(spec); err != nil {
		return step.Server{}, err
	}
	if err := p.templates.await(ctx, spec.Manager, spec.Version); err != nil {
		return step.Server{}, err
	}
	release, former, err := p.holdServer(ctx, spec.InstanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()
	s, err := p.redescribe(former, spec)
	if err == nil {
		err = p.renewBootstrap(ctx, spec)
	}
	if err != nil {
		return step.Server{}, hostFailure("SERVER", "The server could not be rebuilt", err)
	}
	return p.restarted(ctx, s)
}

// redescribe keeps what belongs to the server and not to what it was made of.
func (p *Provider) redescribe(former serverFile, spec step.ServerSpec) (serverFile, error) {
	ip, err := netip.ParseAddr(former.Address)
	if err != nil {
		return former, err
	}
	volume, err := p.folder.readVolume(former.InstanceID)
	if err != nil {
		return former, err
	}
	s := p.describeServer(spec, ip, volume)
	s.Off, s.FormerMemoryBytes = former.Off, former.FormerMemoryBytes
	return s, nil
}
