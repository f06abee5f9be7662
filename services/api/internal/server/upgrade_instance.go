package server

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// upgrade accepts another version of the same datastore: an id or a name, newer than the one that is there.
func (s *Server) upgrade(ctx context.Context, c change, value *structpb.Value) (*taskv1.Task, *taskv1.Plan, error) {
	caller, err := s.authoriseChange(ctx, c.rule, c.instanceID)
	if err != nil {
		return nil, nil, err
	}
	wanted, isText := value.GetKind().(*structpb.Value_StringValue)
	if !isText || wanted.StringValue == "" {
		return nil, nil, errs.New(errs.Invalid, "VALIDATION",
			"Validation error: instance['datastore_version'] is neither the id nor the name of a datastore version")
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	instance, err := s.Store.Instance(ctx, scope(caller), c.instanceID)
	if err != nil {
		return nil, nil, named(c.instanceID, err)
	}
	present, _ := offered.Version(instance.DatastoreVersionID)
	datastore, _ := offered.Datastore(present.DatastoreID)
	target, err := newinstance.Version(datastore, wanted.StringValue, "")
	if err != nil {
		return nil, nil, err
	}
	c.command = &commandv1.Command{Action: &commandv1.Command_UpgradeInstance{
		UpgradeInstance: &commandv1.UpgradeInstance{DatastoreVersion: newinstance.VersionOrder(target)},
	}}
	c.withSet = true
	c.judge = func(scene store.Scene) error { return upgradable(scene, target, offered) }
	return s.order(ctx, c)
}

// upgradable refuses a version that is not newer, and one that would part the instance from its set: a replica reads
// what a source of its own version or an older one writes, and PostgreSQL's only within a major version.
func upgradable(scene store.Scene, target store.DatastoreVersion, offered *catalog.Catalog) error {
	present, _ := offered.Version(scene.Instance.DatastoreVersionID)
	if dbserver.CompareVersions(target.Version, present.Version) <= 0 {
		return errs.New(errs.Invalid, "VERSION_NOT_NEWER",
			"Instance %s has version %s already; %s is not newer.", scene.Instance.ID, present.Version, target.Version)
	}
	for _, other := range scene.Others {
		version, _ := offered.Version(other.DatastoreVersionID)
		if target.Manager == "postgresql" && major(version.Version) != major(target.Version) {
			return errs.New(errs.Invalid, "SET_VERSIONS",
				"PostgreSQL %s does not replicate with %s: detach or delete the replicas, upgrade, and create them again.",
				major(target.Version), major(version.Version))
		}
		replica := other.ReplicaOf == scene.Instance.ID
		if replica && dbserver.CompareVersions(version.Version, target.Version) < 0 {
			return errs.New(errs.Invalid, "REPLICAS_FIRST",
				"Upgrade the replicas first: %s has version %s.", other.ID, version.Version)
		}
	}
	return nil
}

func major(version string) string {
	first, _, _ := strings.Cut(version, ".")
	return first
}
