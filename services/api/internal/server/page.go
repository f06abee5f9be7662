package server

import (
	"strconv"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// pageOf reads limit and marker as they came in a query. Too high a limit is lowered without a word, as in Trove.
func pageOf(limit, marker string, most int) (store.Page, error) {
	page := store.Page{Limit: most, Marker: marker}
	if limit == "" {
		return page, nil
	}
	n, err := strconv.Atoi(limit)
	if err != nil || n < 0 {
		return page, errs.New(errs.Invalid, "LIMIT", "The limit '%s' must be an integer of at least 0.", limit)
	}
	if n > 0 && n < most {
		page.Limit = n
	}
	return page, nil
}
