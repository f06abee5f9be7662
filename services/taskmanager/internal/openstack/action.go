package openstack

import (
	"context"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/instanceactions"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// whyNot tells why Nova gave up what it was asked to do to a server that is as it was before. Its record of the latest
// action of that name has the fault, in the trace of the event that failed.
func (p *Provider) whyNot(ctx context.Context, serverID, action, doing string) error {
	found, err := cloud.All(ctx, instanceactions.List(p.compute, serverID, nil), instanceactions.ExtractInstanceActions)
	if err != nil {
		return fault(nova, doing, err)
	}
	for _, done := range found {
		if done.Action != action {
			continue
		}
		detail, err := instanceactions.Get(ctx, p.compute, serverID, done.RequestID).Extract()
		if err != nil {
			return fault(nova, doing, err)
		}
		return errs.New(errs.WrongState, "SERVER_AS_BEFORE", "%s could not %s: %s", nova, doing, closed(faultIn(detail)))
	}
	return errs.New(errs.WrongState, "SERVER_AS_BEFORE", "%s did not %s.", nova, doing)
}

func faultIn(action instanceactions.InstanceActionDetail) string {
	if action.Events != nil {
		for _, event := range *action.Events {
			if said := lastLine(event.Traceback); event.Result == "Error" && said != "" {
				return said
			}
		}
	}
	return "Nova does not say why"
}

// lastLine is what a trace of Python's ends with, without the name of the exception's class.
func lastLine(trace string) string {
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if class, said, named := strings.Cut(last, ": "); named && !strings.Contains(class, " ") {
		return said
	}
	return last
}
