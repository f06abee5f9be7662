package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
)

// Outcome is what became of an order.
type Outcome struct {
	// TaskID is the accepted task; empty where the service has no tasks, and for what is done at once.
	TaskID string
	// Plan is all there is of a trial.
	Plan *Plan
}

// Plan is what an order would do.
type Plan struct {
	Action     string `json:"action"`
	InstanceID string `json:"instance_id"`
	// Members are other instances that it would hold or change.
	Members []string   `json:"members"`
	Steps   []PlanStep `json:"steps"`
	// Downtime is what clients of the database would notice, in words.
	Downtime string `json:"downtime"`
}

// PlanStep is a step of a plan.
type PlanStep struct {
	Name string `json:"name"`
	// Undoable says whether it could be taken back after it was done.
	Undoable bool `json:"undoable"`
}

// Trial is a client whose changes are only tried: each is checked in everything, answered with its plan, and not done.
// Another Trove would not know of that and do them, so a service that has no tasks is refused.
func (c *Client) Trial(ctx context.Context) (*Client, error) {
	var answer struct {
		Tasks *[]Task `json:"tasks"`
	}
	err := c.get(ctx, "tasks", url.Values{"limit": {"1"}}, &answer)
	if IsNotFound(err) || err == nil && answer.Tasks == nil {
		return nil, errors.New("this service is not Coffer: it has no dry runs, and would do what it is asked for")
	}
	if err != nil {
		return nil, err
	}
	return &Client{database: c.database, trial: true}, nil
}

// IsTrial says whether changes are only tried.
func (c *Client) IsTrial() bool { return c.trial }

// dryRun makes a change a trial.
const dryRun = "?dry_run=true"

func (c *Client) try(ctx context.Context, method, address string, body any) (Outcome, error) {
	response, err := c.request(ctx, method, address+dryRun, &gophercloud.RequestOpts{
		JSONBody: body, KeepResponseBody: true, OkCodes: []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	})
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Plan *Plan `json:"plan"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Plan == nil {
		return Outcome{}, errors.New("the service answered a dry run without a plan: see whether it did what it was asked for")
	}
	return Outcome{Plan: answer.Plan}, nil
}
