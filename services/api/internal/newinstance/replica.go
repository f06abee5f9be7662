package newinstance

import (
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
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
	case !absent(body.GetFlavorRef()):
		return "", cannotSpecify("flavor")
	case body.GetDatastore().GetType() != "" || body.GetDatastore().GetVersion() != "" ||
		body.GetDatastore().GetVersionNumber() != "":
		return "", cannotSpecify("datastore")
	case !absent(body.GetVolume().GetSize()):
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

// ReplicationNotSupported refuses a replica of an instance with this datastore.
func ReplicationNotSupported(datastore string) error {
	return refused("REPLICATION_NOT_SUPPORTED", "Replication is not supported for the '%s' datastore.", datastore)
}

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
	if absent(body.GetReplicaCount()) {
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

// absent says whether a value was left out or is null.
func absent(value *structpb.Value) bool {
	switch value.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return true
	}
	return false
}
