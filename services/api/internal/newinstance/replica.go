package newinstance

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// maxReplicas is how many replicas one call may ask for.
const maxReplicas = 3

// ReplicaSource is the id of the instance of which the body asks for a replica, empty when it asks for none. What
// cannot be said of a replica is refused.
func ReplicaSource(body *instancev1.NewInstance) (string, error) {
	if body.ReplicaOf == nil {
		return "", nil
	}
	source := body.GetReplicaOf()
	if !uuidForm.MatchString(source) {
		return "", invalid("instance['replica_of']", "'%s' is not the id of an instance", source)
	}
	if _, err := replicaCount(body); err != nil {
		return "", err
	}
	switch {
	case !Absent(body.GetFlavorRef()):
		return "", cannotSpecify("flavor")
	case body.GetDatastore().GetType() != "" || body.GetDatastore().GetVersion() != "" ||
		body.GetDatastore().GetVersionNumber() != "":
		return "", cannotSpecify("datastore")
	case !Absent(body.GetVolume().GetSize()) || body.GetVolume().GetType() != "":
		return "", cannotSpecify("volume")
	case body.GetLocality() != "":
		return "", cannotSpecify("locality")
	case len(body.GetNics()) > 0 && body.GetNics()[0].GetIpAddress()+body.GetNics()[0].GetV4FixedIp() != "":
		return "", cannotSpecify("IP address")
	case len(body.GetUsers()) > 0 || len(body.GetDatabases()) > 0:
		return "", refused("REPLICA_WITH_USERS", "Cannot create a replica with users or databases.")
	}
	return strings.ToLower(source), nil
}

// CheckReplica makes the plans of the replicas that a body asks for, as many as it asks for. What they are is the
// source's; where they listen and who may connect is for the call to say.
func CheckReplica(
	body *instancev1.NewInstance, source store.Instance, version store.DatastoreVersion, c *catalog.Catalog,
) ([]Plan, error) {
	if source.ReplicaOf != "" {
		return nil, errs.New(errs.Unauthenticated, "REPLICA_OF_REPLICA", "Cannot create a replica of a replica %s", source.ID)
	}
	if !slices.Contains(replicating, version.Manager) {
		return nil, refused("REPLICATION_NOT_SUPPORTED", "Replication is not supported for the '%s' datastore.", version.DatastoreName)
	}
	k := &checker{body: body, catalog: c}
	for _, check := range []func() error{
		k.name, k.nic, k.availabilityZone, k.region, k.access, k.configuration, k.restorePoint, k.modules,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	flavor, found := c.Flavor(source.FlavorID)
	if !found {
		return nil, refused("FLAVOR_NOT_FOUND", "Resource %s cannot be found.", source.FlavorID)
	}
	k.plan.Version, k.plan.Flavor, k.plan.Locality = version, flavor, source.Locality
	k.plan.VolumeSize, k.plan.VolumeType = source.VolumeSize, source.VolumeType
	count, err := replicaCount(body)
	if err != nil || count == 1 {
		return []Plan{k.plan}, err
	}
	plans := make([]Plan, count)
	for i := range plans {
		plans[i] = k.plan
		plans[i].Name = fmt.Sprintf("%s-%d", k.plan.Name, i+1)
		if err := Name(plans[i].Name); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// replicating are the managers of the engines that replicate.
var replicating = []string{"mariadb", "postgresql"}

func (k *checker) replicaCount() error {
	count, err := replicaCount(k.body)
	if err != nil {
		return err
	}
	if count > 1 {
		return refused("REPLICA_COUNT", "Replica count only valid when creating replicas. Cannot create %d instances.", count)
	}
	return nil
}

func replicaCount(body *instancev1.NewInstance) (int64, error) {
	const path = "instance['replica_count']"
	if Absent(body.GetReplicaCount()) {
		return 1, nil
	}
	number, isNumber := body.GetReplicaCount().GetKind().(*structpb.Value_NumberValue)
	if !isNumber {
		return 0, invalid(path, "is not an integer from 1 to %d", maxReplicas)
	}
	count, ok := integer(number.NumberValue)
	if !ok || count < 1 || count > maxReplicas {
		return 0, invalid(path, "%v is not an integer from 1 to %d", number.NumberValue, maxReplicas)
	}
	return count, nil
}

func cannotSpecify(what string) error {
	return errs.New(errs.Invalid, "REPLICA_SPEC", "Cannot specify %s when creating replicas.", what)
}
