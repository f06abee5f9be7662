package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
)

// The words of a batch.
const (
	BatchRestart = "restart"
	BatchDelete  = "delete"
)

// BatchResult is what became of one instance of a batch.
type BatchResult struct {
	InstanceID string `json:"instance"`
	// Result is success, which means accepted, or failed.
	Result string `json:"result"`
	// TaskID and Reason are told by Coffer alone.
	TaskID string `json:"job_id,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Accepted says whether the instance is being worked on.
func (r BatchResult) Accepted() bool { return r.Result == "success" }

// batchDetails asks Coffer for more than DMS tells of each instance.
var batchDetails = map[string]string{"Coffer-Batch-Details": "true"}

// Batch restarts or deletes many instances; the results are in the order of the ids. A trial answers with what would be
// accepted.
func (c *Client) Batch(ctx context.Context, doing string, ids []string) ([]BatchResult, error) {
	address := c.database.ServiceURL("instances", "action")
	if c.trial {
		address += dryRun
	}
	var answer struct {
		Results []BatchResult `json:"results"`
	}
	_, err := c.request(ctx, http.MethodPost, address, &gophercloud.RequestOpts{
		JSONBody: map[string]any{"action": doing, "instances": ids}, JSONResponse: &answer,
		OkCodes: []int{http.StatusOK}, MoreHeaders: batchDetails,
	})
	if err != nil {
		return nil, fmt.Errorf("%s %d instances: %w", doing, len(ids), err)
	}
	for i := range answer.Results {
		if c.trial {
			answer.Results[i].TaskID = "" // There is none.
		}
	}
	return answer.Results, nil
}

// DeleteFailures deletes the instances whose creation failed: those of one engine, or all for "true". Which they were is
// not told.
func (c *Client) DeleteFailures(ctx context.Context, engine string) error {
	_, err := c.request(ctx, http.MethodPost, c.database.ServiceURL("instances", "action"), &gophercloud.RequestOpts{
		JSONBody: map[string]any{"action": BatchDelete, "allFailure": engine}, OkCodes: []int{http.StatusNoContent},
	})
	if err != nil {
		return fmt.Errorf("delete what was never made: %w", err)
	}
	return nil
}
