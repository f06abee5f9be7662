package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
)

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

// change sends something that is worked later, or only tries it. into is the answer's form, nil where it has none.
func (c *Client) change(ctx context.Context, method, address string, body, into any) (Outcome, error) {
	if c.trial {
		return c.try(ctx, method, address, body)
	}
	response, err := c.request(ctx, method, address, &gophercloud.RequestOpts{
		JSONBody: body, JSONResponse: into, OkCodes: []int{http.StatusOK, http.StatusAccepted},
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{TaskID: response.Header.Get(taskHeader)}, nil
}

func (c *Client) request(
	ctx context.Context, method, address string, options *gophercloud.RequestOpts,
) (*http.Response, error) {
	response, err := c.database.Request(ctx, method, address, options)
	if err != nil {
		return nil, Explain(err)
	}
	return response, nil
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
