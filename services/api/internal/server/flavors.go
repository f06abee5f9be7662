package server

import (
	"context"

	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
)

// ListFlavors lists the machine sizes.
func (s *Server) ListFlavors(
	ctx context.Context, _ *flavorv1.ListFlavorsRequest,
) (*flavorv1.ListFlavorsResponse, error) {
	_, writer, err := s.offers(ctx, "flavor:index")
	if err != nil {
		return nil, err
	}
	return &flavorv1.ListFlavorsResponse{Flavors: writer.Flavors()}, nil
}

// GetFlavor shows a machine size.
func (s *Server) GetFlavor(ctx context.Context, request *flavorv1.GetFlavorRequest) (*flavorv1.GetFlavorResponse, error) {
	offered, writer, err := s.offers(ctx, "flavor:show")
	if err != nil {
		return nil, err
	}
	flavor, found := offered.Flavor(request.GetFlavorId())
	if !found {
		return nil, notFound(request.GetFlavorId())
	}
	return &flavorv1.GetFlavorResponse{Flavor: writer.Flavor(flavor)}, nil
}
