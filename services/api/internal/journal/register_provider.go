package journal

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// RegisterProvider takes what a taskmanager's provider offers in place of what was known.
func (s *Server) RegisterProvider(
	ctx context.Context, request *journalv1.RegisterProviderRequest,
) (*journalv1.RegisterProviderResponse, error) {
	if request.GetProvider() == "" || request.GetRegion() == "" {
		return nil, errs.New(errs.Invalid, "PROVIDER", "A provider has a name and a region.")
	}
	for _, version := range request.GetDatastoreVersions() {
		if version.GetManager() == "" || version.GetName() == "" || version.GetVersion() == "" {
			return nil, errs.New(errs.Invalid, "DATASTORE_VERSION", "A datastore version has a manager, a name and a number.")
		}
	}
	for _, flavor := range request.GetFlavors() {
		if flavor.GetId() == "" || flavor.GetRam() <= 0 {
			return nil, errs.New(errs.Invalid, "FLAVOR", "A flavor has an id and a positive amount of memory.")
		}
	}
	if err := s.Catalog.Save(ctx, request); err != nil {
		return nil, err
	}
	s.Logger.Info("provider registered", "provider", request.GetProvider(), "region", request.GetRegion(),
		"datastore_versions", len(request.GetDatastoreVersions()), "flavors", len(request.GetFlavors()))
	return &journalv1.RegisterProviderResponse{}, nil
}
