package openstack

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// TestAFaultIsClassedByWhatCanBeDoneAboutIt holds the answers that Nova 26, Cinder 21 and Neutron 21 really give.
func TestAFaultIsClassedByWhatCanBeDoneAboutIt(t *testing.T) {
	for _, c := range []struct {
		name string
		code int
		body string
		kind errs.Kind
		says string
	}{
		{"quota of Nova", 403, `{"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"}}`, errs.OverQuota, "Quota exceeded for instances"},
		{"quota of Cinder", 413, `{"overLimit": {"code": 413, "message": "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'.", "retryAfter": "0"}}`, errs.OverQuota, "Maximum number of volumes"},
		{"quota of Neutron", 409, `{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port'].", "detail": ""}}`, errs.OverQuota, "['port']"},
		{"no address left", 409, `{"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses available on network 6.", "detail": ""}}`, errs.OverQuota, "No more IP addresses"},
		{"address taken", 409, `{"NeutronError": {"type": "IpAddressAlreadyAllocated", "message": "IP address 10.20.0.9 already allocated in subnet 7", "detail": ""}}`, errs.Conflict, "already allocated in subnet 7."},
		{"rate limit", 413, `{"overLimit": {"code": 413, "message": "This request was rate-limited."}}`, errs.Unavailable, "rate-limited"},
		{"too many requests", 429, ``, errs.Unavailable, "Too Many Requests"},
		{"busy server", 409, `{"conflictingRequest": {"code": 409, "message": "Cannot 'stop' instance 8 while it is in task_state rebooting"}}`, errs.Unavailable, "task_state rebooting"},
		{"ended token", 401, `{"error": {"code": 401, "message": "The request you have made requires authentication."}}`, errs.Unavailable, "requires authentication"},
		{"broken service", 500, `{"computeFault": {"code": 500, "message": "Unexpected API Error."}}`, errs.Unavailable, "Unexpected API Error."},
		{"service behind a proxy away", 503, `<html>no JSON</html>`, errs.Unavailable, "Service Unavailable"},
		{"bad request", 400, `{"badRequest": {"code": 400, "message": "The requested availability zone is not available"}}`, errs.Invalid, "availability zone is not available."},
		{"not allowed", 403, `{"forbidden": {"code": 403, "message": "Policy doesn't allow os_compute_api:servers:create to be performed."}}`, errs.Forbidden, "Policy doesn't allow"},
		{"gone", 404, `{"itemNotFound": {"code": 404, "message": "Instance 8 could not be found."}}`, errs.NotFound, "could not be found."},
		{"unheard of", 418, ``, errs.Internal, "teapot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fault(nova, "do it", gophercloud.ErrUnexpectedResponseCode{Actual: c.code, Body: []byte(c.body), ResponseHeader: http.Header{}})
			assert.True(t, errs.IsKind(got, c.kind), "got %v", errs.From(got).Kind)
			assert.Contains(t, got.Error(), c.says)
		})
	}
}

func TestAServiceThatDoesNotAnswerIsUnavailable(t *testing.T) {
	for _, err := range []error{errors.New("connection refused"), context.DeadlineExceeded, context.Canceled} {
		assert.True(t, errs.IsKind(fault(nova, "do it", err), errs.Unavailable))
	}
	require.NotErrorIs(t, fault(nova, "do it", context.DeadlineExceeded), context.DeadlineExceeded)
	require.NoError(t, fault(nova, "do it", nil))
}
