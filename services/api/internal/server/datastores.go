package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/view"
)

// ListDatastores lists the database engines.
func (s *Server) ListDatastores(
	ctx context.Context, _ *datastorev1.ListDatastoresRequest,
) (*datastorev1.ListDatastoresResponse, error) {
	_, writer, err := s.offers(ctx, "datastore:index")
	if err != nil {
		return nil, err
	}
	return &datastorev1.ListDatastoresResponse{Datastores: writer.Datastores()}, nil
}

// GetDatastore shows a database engine, by id or name.
func (s *Server) GetDatastore(
	ctx context.Context, request *datastorev1.GetDatastoreRequest,
) (*datastorev1.GetDatastoreResponse, error) {
	offered, writer, err := s.offers(ctx, "datastore:show")
	if err != nil {
		return nil, err
	}
	datastore, err := findDatastore(offered, writer, request.GetDatastore())
	if err != nil {
		return nil, err
	}
	return &datastorev1.GetDatastoreResponse{Datastore: writer.Datastore(datastore)}, nil
}

// ListDatastoreVersions lists the versions of a database engine.
func (s *Server) ListDatastoreVersions(
	ctx context.Context, request *datastorev1.ListDatastoreVersionsRequest,
) (*datastorev1.ListDatastoreVersionsResponse, error) {
	offered, writer, err := s.offers(ctx, "datastore:version_index")
	if err != nil {
		return nil, err
	}
	datastore, err := findDatastore(offered, writer, request.GetDatastore())
	if err != nil {
		return nil, err
	}
	return &datastorev1.ListDatastoreVersionsResponse{Versions: writer.Versions(datastore)}, nil
}

// GetDatastoreVersion shows a version: of a named engine by id or name, else by its id alone.
func (s *Server) GetDatastoreVersion(
	ctx context.Context, request *datastorev1.GetDatastoreVersionRequest,
) (*datastorev1.GetDatastoreVersionResponse, error) {
	offered, writer, err := s.offers(ctx, "datastore:version_show")
	if err != nil {
		return nil, err
	}
	wanted := request.GetVersion()
	if request.GetDatastore() == "" {
		version, found := offered.Version(wanted)
		if !found || !writer.SeesVersion(version) {
			return nil, noVersion(errs.Invalid, wanted)
		}
		return &datastorev1.GetDatastoreVersionResponse{Version: writer.Version(version)}, nil
	}
	datastore, err := findDatastore(offered, writer, request.GetDatastore())
	if err != nil {
		return nil, err
	}
	for _, version := range datastore.Versions {
		if writer.SeesVersion(version) && (version.ID == wanted || version.Name == wanted) {
			return &datastorev1.GetDatastoreVersionResponse{Version: writer.Version(version)}, nil
		}
	}
	if uuid.Validate(wanted) == nil {
		return nil, noVersion(errs.NotFound, wanted)
	}
	return nil, noVersion(errs.Invalid, wanted)
}

func findDatastore(offered *catalog.Catalog, writer view.Writer, idOrName string) (catalog.Datastore, error) {
	datastore, found := offered.Datastore(idOrName)
	if !found || !writer.Sees(datastore) {
		return datastore, errs.New(errs.NotFound, "DATASTORE_NOT_FOUND", "Datastore '%s' cannot be found.", idOrName)
	}
	return datastore, nil
}

// noVersion has the code that Trove gives: 400 for a name and for an id alone, 404 for an id within an engine.
func noVersion(kind errs.Kind, wanted string) error {
	return errs.New(kind, "DATASTORE_VERSION_NOT_FOUND", "Datastore version '%s' cannot be found.", wanted)
}
