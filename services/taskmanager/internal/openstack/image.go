package openstack

import (
	"cmp"
	"context"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
)

const (
	// imageTag stands on the images of guests, and imageProperty with an engine's name behind it says the exact version that
	// the image has of it: `coffer image register` sets both.
	imageTag      = "coffer"
	imageProperty = "coffer_"

	reasonNoImage = "IMAGE_NOT_FOUND"
)

// guestImages are the images that guests may be built from, the newest first.
func (p *Provider) guestImages(ctx context.Context) ([]images.Image, error) {
	found, err := all(ctx, images.List(p.image, images.ListOpts{Tags: []string{imageTag}, Status: images.ImageStatusActive}), images.ExtractImages)
	if err != nil {
		return nil, fault(glance, "list images with the tag "+imageTag, err)
	}
	slices.SortStableFunc(found, func(a, b images.Image) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

// versionIn is the exact version of an engine in an image; empty when it has none.
func versionIn(image images.Image, manager string) string {
	version, _ := image.Properties[imageProperty+manager].(string)
	return version
}

// imageFor is the id of the image that was named, or of the newest one with the version.
func (p *Provider) imageFor(ctx context.Context, manager, version, named string) (string, error) {
	if !slices.ContainsFunc(dbserver.Kinds, func(k dbserver.Kind) bool { return k.Manager == manager }) {
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
		return "", errs.New(errs.Invalid, reasonNoImage, "Image %s does not exist, or lacks the tag %q.", named, imageTag)
	}
	return "", errs.New(errs.Invalid, reasonNoImage, "There is no image with %s %s; `coffer image register` brings one.", manager, version)
}
