package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/instanceactions"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// whyNot tells why Nova gave up what it was asked to do to a server that is as it was before: its record of the latest
// action of that name holds the fault.
func (p *Provider) whyNot(ctx context.Context, serverID, action, doing string) error {
	said := "Nova does not say why"
	found, err := all(ctx, instanceactions.List(p.compute, serverID, nil), instanceactions.ExtractInstanceActions)
	if err != nil {
		return fault(nova, doing, err)
	}
	for _, done := range found {
		if done.Action == action && done.Message != "" {
			said = done.Message
			break
		}
	}
	return errs.New(errs.WrongState, "SERVER_AS_BEFORE", "%s could not %s: %s", nova, doing, closed(said))
}
