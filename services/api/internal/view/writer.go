package view

import (
	"time"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
)

// Writer writes answers to one caller.
type Writer struct {
	catalog   *catalog.Catalog
	publicURL string
	projectID string
	admin     bool
	now       time.Time
}

// New makes a writer. The public URL is without a slash at its end; the catalogue may be nil.
func New(c *catalog.Catalog, publicURL string, caller identity.Caller, now time.Time) Writer {
	if c == nil {
		c = &catalog.Catalog{}
	}
	return Writer{
		catalog: c, publicURL: publicURL, projectID: caller.ProjectID, admin: policy.IsAdmin(caller), now: now,
	}
}

// links are the two that every resource has. The project in them is the caller's, also in an admin's view of another
// project's resource.
func (w Writer) links(collection, id string) []*instancev1.Link {
	tail := "/" + collection + "/" + id
	return []*instancev1.Link{
		{Rel: "self", Href: w.publicURL + "/v1.0/" + w.projectID + tail},
		{Rel: "bookmark", Href: w.publicURL + tail},
	}
}
