package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Job is a task in the words of the DDM API.
type Job struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Status is Running, Completed or Failed.
	Status   string `json:"status"`
	Created  string `json:"created_time"`
	Ended    string `json:"end_time"`
	Progress string `json:"process"`
	// Instance is in the form of one job, the two below it in that of a list.
	Instance *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"instance,omitempty"`
	InstanceID   string `json:"instance_id,omitempty"`
	InstanceName string `json:"instance_name,omitempty"`
	Failure      string `json:"fail_reason,omitempty"`
}

const (
	// jobsPage is the most that a page of jobs may have.
	jobsPage = 128
	// JobsSpan is how far back jobs are listed, the most that the API allows.
	JobsSpan = 30 * 24 * time.Hour
)

// RestartServer orders the restart of an instance's whole server, by DDM's "hard".
func (c *Client) RestartServer(ctx context.Context, id string) (Outcome, error) {
	body := map[string]any{"restart": map[string]any{"type": "hard"}}
	var answer struct {
		JobID string `json:"jobId"`
	}
	outcome, err := c.change(ctx, http.MethodPost, c.ddmURL("v1", "instances", url.PathEscape(id), "action"), body, &answer)
	if err != nil {
		return Outcome{}, fmt.Errorf("restart the server of instance %s: %w", id, err)
	}
	return outcome, nil
}

// Job shows one.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	var answer struct {
		Job Job `json:"job"`
	}
	if err := c.getURL(ctx, c.ddmURL("v3", "jobs", url.PathEscape(id)), &answer); err != nil {
		return Job{}, fmt.Errorf("show job %s: %w", id, err)
	}
	return answer.Job, nil
}

// Jobs lists the jobs that began in the span before a time, newest first, all pages of them.
func (c *Client) Jobs(ctx context.Context, until time.Time) ([]Job, error) {
	var all []Job
	for {
		query := url.Values{
			"start_time": {strconv.FormatInt(until.Add(-JobsSpan).UnixMilli(), 10)},
			"end_time":   {strconv.FormatInt(until.UnixMilli(), 10)},
			"limit":      {strconv.Itoa(jobsPage)}, "offset": {strconv.Itoa(len(all))},
		}
		var page struct {
			Jobs []Job `json:"jobs"`
		}
		if err := c.getURL(ctx, c.ddmURL("v3", "jobs")+"?"+query.Encode(), &page); err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		all = append(all, page.Jobs...)
		if len(page.Jobs) < jobsPage {
			return all, nil
		}
	}
}

// ddmURL is an address of the DDM API, which the catalog does not name: it stands beside Trove's.
func (c *Client) ddmURL(version string, parts ...string) string {
	return strings.Replace(c.database.ServiceURL(parts...), "/v1.0/", "/"+version+"/", 1)
}
