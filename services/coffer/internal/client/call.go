package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/gophercloud/gophercloud/v2"
)

// Error is a refusal in the service's own words.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (HTTP %d)", e.Message, e.Code) }

// IsNotFound says whether what was asked for does not exist.
func IsNotFound(err error) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Code == http.StatusNotFound
}

// taskHeader carries the id of an accepted change; only Coffer sends it.
const taskHeader = "Coffer-Task-Id"

// get asks for a path below the project, such as "instances/<id>".
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	address := c.database.ServiceURL(path)
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return c.getURL(ctx, address, into)
}

func (c *Client) getURL(ctx context.Context, address string, into any) error {
	_, err := c.request(ctx, http.MethodGet, address, &gophercloud.RequestOpts{
		JSONResponse: into, OkCodes: []int{http.StatusOK},
	})
	return err
}

// change sends something that is worked later, and answers with its task's id; empty where the service has no tasks.
func (c *Client) change(ctx context.Context, method, path string, body, into any) (taskID string, err error) {
	response, err := c.request(ctx, method, c.database.ServiceURL(path), &gophercloud.RequestOpts{
		JSONBody: body, JSONResponse: into, OkCodes: []int{http.StatusOK, http.StatusAccepted},
	})
	if err != nil {
		return "", err
	}
	return response.Header.Get(taskHeader), nil
}

func (c *Client) request(
	ctx context.Context, method, address string, options *gophercloud.RequestOpts,
) (*http.Response, error) {
	response, err := c.database.Request(ctx, method, address, options)
	if err != nil {
		return nil, explain(err)
	}
	return response, nil
}

// explain takes the sentence out of a fault: Trove's {"itemNotFound": {"message"}} and Keystone's {"error": {"message"}}
// have the same shape.
func explain(err error) error {
	var refused gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &refused) {
		return explainSilence(err)
	}
	var fault map[string]struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(refused.Body, &fault) == nil {
		for _, told := range fault {
			if told.Message != "" {
				return &Error{Code: refused.Actual, Message: told.Message}
			}
		}
	}
	if text := strings.TrimSpace(string(refused.Body)); text != "" {
		return &Error{Code: refused.Actual, Message: text}
	}
	return &Error{Code: refused.Actual, Message: http.StatusText(refused.Actual)}
}

// explainSilence says of a service that did not answer what its user can do.
func explainSilence(err error) error {
	var silent *url.Error
	if !errors.As(err, &silent) || errors.Is(err, context.Canceled) {
		return err
	}
	host := silent.URL
	if parsed, err := url.Parse(silent.URL); err == nil {
		host = parsed.Host
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens on %s: is the service running? (%w)", host, silent.Err)
	}
	return fmt.Errorf("%s does not answer: %w", host, silent.Err)
}

// link is how Trove names the next page.
type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

func next(links []link) string {
	for _, l := range links {
		if l.Rel == "next" {
			return l.Href
		}
	}
	return ""
}
