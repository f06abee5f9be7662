package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/pagination"
)

// All reads every page of a list.
func All[T any](ctx context.Context, pager pagination.Pager, extract func(pagination.Page) ([]T, error)) ([]T, error) {
	pages, err := pager.AllPages(ctx)
	if err != nil {
		return nil, err
	}
	return extract(pages)
}
