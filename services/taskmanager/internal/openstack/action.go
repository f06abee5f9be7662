package openstack

import (
	"context"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/instanceactions"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// novaWithDetails is of Nova 21 (Ussuri): the record of an action tells what went wrong. An older one tells only where.
const novaWithDetails = "2.84"

// whyNot tells why Nova gave up what it was asked to do to a server that is as it was before: its record of the latest
// action of that name does, and nothing else.
func (p *Provider) whyNot(ctx context.Context, serverID, action, doing string) error {
	found, err := cloud.All(ctx, instanceactions.List(p.compute, serverID, nil), instanceactions.ExtractInstanceActions)
	if err != nil {
		return fault(nova, doing, err)
	}
	for _, done := range found {
		if done.Action != action {
			continue
		}
		why, err := p.detailsOf(ctx, serverID, done.RequestID)
		if err != nil {
			return fault(nova, doing, err)
		}
		return errs.New(errs.WrongState, "SERVER_AS_BEFORE", "%s could not %s: %s", nova, doing, closed(why))
	}
	return errs.New(errs.WrongState, "SERVER_AS_BEFORE", "%s did not %s.", nova, doing)
}

// detailsOf is what went wrong in an action.
func (p *Provider) detailsOf(ctx context.Context, serverID, requestID string) (string, error) {
	const untold = "Nova does not say why"
	client := *p.compute
	client.Microversion = novaWithDetails
	var action struct {
		Events []struct{ Result, Details string }
	}
	err := instanceactions.Get(ctx, &client, serverID, requestID).ExtractIntoStructPtr(&action, "instanceAction")
	if gophercloud.ResponseCodeIs(err, http.StatusNotAcceptable) {
		return untold, nil
	}
	if err != nil {
		return "", err
	}
	for _, event := range action.Events {
		if event.Result == "Error" && event.Details != "" {
			return event.Details, nil
		}
	}
	return untold, nil
}
