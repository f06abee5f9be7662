package server

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// RebuildInstance accepts that an instance's server is made anew from an image, on the same volume. A provider that has
// no images knows datastore versions in their place, and an instance's server can only be made of its own.
func (s *Server) RebuildInstance(
	ctx context.Context, request *mgmtv1.RebuildInstanceRequest,
) (*mgmtv1.RebuildInstanceResponse, error) {
	if _, err := s.authoriseChange(ctx, ruleManagedAction, request.GetInstanceId()); err != nil {
		return nil, err
	}
	image, isText := request.GetImageId().GetKind().(*structpb.Value_StringValue)
	switch {
	case request.GetImageId() == nil:
		return nil, errs.New(errs.Invalid, "VALIDATION", "Validation error: rebuild 'image_id' is a required property")
	case !isText || uuid.Validate(image.StringValue) != nil:
		return nil, errs.New(errs.Invalid, "VALIDATION", "Validation error: rebuild['image_id'] is not the id of an image")
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	order := &commandv1.RebuildInstance{}
	if offered.Provider.GetCapabilities().GetImages() {
		order.ImageId = image.StringValue
	}
	task, plan, err := s.order(ctx, change{
		instanceID: request.GetInstanceId(), request: request,
		command: &commandv1.Command{Action: &commandv1.Command_RebuildInstance{RebuildInstance: order}},
		first:   func(scene store.Scene) error { return checkImage(scene.Instance, image.StringValue, offered) },
	})
	if err != nil {
		return nil, err
	}
	return &mgmtv1.RebuildInstanceResponse{Task: task, Plan: plan}, nil
}

func checkImage(instance store.Instance, image string, offered *catalog.Catalog) error {
	if offered.Provider.GetCapabilities().GetImages() || image == instance.DatastoreVersionID {
		return nil
	}
	return errs.New(errs.Invalid, "IMAGE_NOT_FOUND",
		"Image %s cannot be found. The provider '%s' has no images: give the id of the instance's datastore version, %s.",
		image, offered.Provider.GetProvider(), instance.DatastoreVersionID)
}
