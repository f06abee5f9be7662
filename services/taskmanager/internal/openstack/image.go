package openstack

import (
	"cmp"
	"context"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

const reasonNoImage = "IMAGE_NOT_FOUND"

// guestImages are the images that guests may be built from, the newest first: `coffer image register` brings them.
func (p *Provider) guestImages(ctx context.Context) ([]images.Image, error) {
	found, err := cloud.All(ctx, images.List(p.image, images.ListOpts{Tags: []string{cloud.ImageTag}, Status: images.ImageStatusActive}), images.ExtractImages)
	if err != nil {
		return nil, fault(glance, "list images with the tag "+cloud.ImageTag, err)
	}
	slices.SortStableFunc(found, func(a, b images.Image) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

// versionIn is the exact version of an engine in an image; empty when it has none.
func versionIn(image images.Image, manager string) string {
	version, _ := image.Properties[cloud.EngineProperty(manager)].(string)
	return version
}

// imageFor is the id of the image that was named, or of the newest one with the version.
func (p *Provider) imageFor(ctx context.Context, manager, version, named string) (string, error) {
	if _, known := dbserver.Of(manager); !known {
		return "", errs.New(errs.Invalid, reasonNoImage, "There is no image with the datastore %q.", manager)
	}
	found, err := p.guestImages(ctx)
	if err != nil {
		return "", err
	}
	for _, image := range found {
		switch {
		case named != "" && image.ID != named:
		case named != "" && versionIn(image, manager) == "":
			return "", errs.New(errs.Invalid, reasonNoImage, "Image %s has no %s.", named, manager)
		case named != "", versionIn(image, manager) == version:
			return image.ID, nil
		}
	}
	if named != "" {
		return "", errs.New(errs.Invalid, reasonNoImage, "Image %s does not exist, or lacks the tag %q.", named, cloud.ImageTag)
	}
	return "", errs.New(errs.Invalid, reasonNoImage, "There is no image with %s %s; `coffer image register` brings one.", manager, version)
}
