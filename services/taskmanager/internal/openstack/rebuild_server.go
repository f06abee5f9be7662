package openstack

import (
	"context"
	"encoding/base64"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// RebuildServer makes the server's root disk anew from an image, with user data of its own: the agent enrols again. Ports
// and volume stay with the server.
func (p *Provider) RebuildServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	server, err := p.changeable(ctx, spec.InstanceID)
	if err != nil {
		return step.Server{}, err
	}
	image, err := p.imageToRebuild(ctx, spec, server)
	if err != nil {
		return step.Server{}, err
	}
	management, err := p.portOf(ctx, p.managementMark(spec.InstanceID))
	if err != nil {
		return step.Server{}, err
	}
	data, _, err := userData(spec, management)
	if err != nil {
		return step.Server{}, err
	}
	metadata := server.Metadata
	for key, value := range described(spec) {
		metadata[key] = value
	}
	doing := "rebuild server " + server.ID
	_, err = servers.Rebuild(ctx, p.compute, server.ID, rebuildOpts{
		RebuildOpts: servers.RebuildOpts{ImageRef: image, Metadata: metadata}, userData: data,
	}).Extract()
	if err != nil {
		return step.Server{}, fault(nova, doing, err)
	}
	// A server that was down when it was rebuilt is down afterwards.
	if server, err = p.awaitServer(ctx, server.ID, doing, novaActive, novaShutoff); err != nil {
		return step.Server{}, err
	}
	if server, err = p.start(ctx, server); err != nil {
		return step.Server{}, err
	}
	return told(spec.InstanceID, server), nil
}

// imageToRebuild is the newest image with the version; the server's own where the version stays and has left the catalogue.
func (p *Provider) imageToRebuild(ctx context.Context, spec step.ServerSpec, server *servers.Server) (string, error) {
	image, err := p.imageFor(ctx, spec.Manager, spec.Version, spec.Image)
	own, known := server.Image["id"].(string)
	if errs.IsReason(err, reasonNoImage) && known && spec.Image == "" && server.Metadata[keyVersion] == spec.Version {
		return own, nil
	}
	return image, err
}

// rebuildOpts are RebuildOpts with the user data, which gophercloud leaves out (Nova API 2.57).
type rebuildOpts struct {
	servers.RebuildOpts

	userData []byte
}

// ToServerRebuildMap is the request's body.
func (o rebuildOpts) ToServerRebuildMap() (map[string]any, error) {
	body, err := o.RebuildOpts.ToServerRebuildMap()
	if err != nil {
		return nil, err
	}
	if inner, ok := body["rebuild"].(map[string]any); ok {
		inner["user_data"] = base64.StdEncoding.EncodeToString(o.userData)
	}
	return body, nil
}
