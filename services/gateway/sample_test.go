package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
)

const imageID = "9e46a201-e92e-4ae0-af89-4af12a21bb45"

// Bodies of the form of each sample in Trove's API reference, and what the service is asked for by them. What is
// answered is in testdata.
func TestEveryFormOfTrovesRequestsIsUnderstood(t *testing.T) {
	text, number, null := structpb.NewStringValue, structpb.NewNumberValue, structpb.NewNullValue
	one := "/instances/" + instanceID
	managed := "/mgmt/instances/" + instanceID
	for _, c := range []struct {
		method, path, body string
		code               int
		asked              proto.Message
	}{
		{
			http.MethodPost, one + "/action", `{"restart": {}}`, http.StatusAccepted,
			&instancev1.RestartInstanceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"resize": {"flavorRef": "3"}}`, http.StatusAccepted,
			&instancev1.ResizeFlavorRequest{ProjectId: project, InstanceId: instanceID, FlavorRef: text("3")},
		},
		{
			http.MethodPost, one + "/action", `{"resize": {"flavorRef": 3}}`, http.StatusAccepted,
			&instancev1.ResizeFlavorRequest{ProjectId: project, InstanceId: instanceID, FlavorRef: number(3)},
		},
		{
			http.MethodPost, one + "/action", `{"resize": {"volume": {"size": 5}}}`, http.StatusAccepted,
			&instancev1.ResizeVolumeRequest{
				ProjectId: project, InstanceId: instanceID, Volume: &instancev1.ResizedVolume{Size: number(5)},
			},
		},
		{
			http.MethodPost, one + "/action", `{"promote_to_replica_source": {}}`, http.StatusAccepted,
			&instancev1.PromoteToReplicaSourceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"eject_replica_source": {}}`, http.StatusAccepted,
			&instancev1.EjectReplicaSourceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"eject_replica_source": null}`, http.StatusAccepted,
			&instancev1.EjectReplicaSourceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"reset_status": {}}`, http.StatusAccepted,
			&instancev1.ResetStatusRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"reset_status": null}`, http.StatusAccepted,
			&instancev1.ResetStatusRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, one + "/action", `{"reset_status": {"force_delete": false}}`, http.StatusAccepted,
			&instancev1.ResetStatusRequest{ProjectId: project, InstanceId: instanceID, ForceDelete: structpb.NewBoolValue(false)},
		},
		{
			http.MethodPatch, one, `{"instance": {"name": "invoices"}}`, http.StatusAccepted,
			&instancev1.EditInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{Name: text("invoices")},
			},
		},
		{
			http.MethodPatch, one, `{"instance": {"datastore_version": "11.4"}}`, http.StatusAccepted,
			&instancev1.EditInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{DatastoreVersion: text("11.4")},
			},
		},
		{
			http.MethodPatch, one, `{"instance": {"replica_of": null}}`, http.StatusAccepted,
			&instancev1.EditInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{ReplicaOf: null()},
			},
		},
		{
			http.MethodPut, one, `{"instance": {"replica_of": ""}}`, http.StatusAccepted,
			&instancev1.UpdateInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{ReplicaOf: text("")},
			},
		},
		{
			http.MethodPut, one, `{"instance": {"configuration": "` + imageID + `"}}`, http.StatusAccepted,
			&instancev1.UpdateInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{Configuration: text(imageID)},
			},
		},
		{
			http.MethodPut, one, `{"instance": {"configuration": null}}`, http.StatusAccepted,
			&instancev1.UpdateInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{Configuration: null()},
			},
		},
		{
			http.MethodPut, one, `{"instance": {}}`, http.StatusAccepted,
			&instancev1.UpdateInstanceRequest{ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{}},
		},
		{
			http.MethodPut, one, `{"instance": {"access": {"is_public": true, "allowed_cidrs": ["203.0.113.0/24"]}}}`, http.StatusAccepted,
			&instancev1.UpdateInstanceRequest{
				ProjectId: project, InstanceId: instanceID, Instance: &instancev1.InstanceUpdate{
					Access: structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
						"is_public":     structpb.NewBoolValue(true),
						"allowed_cidrs": structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{text("203.0.113.0/24")}}),
					}}),
				},
			},
		},
		{
			http.MethodPost, "/instances", `{"instance": {
				"name": "orders", "flavorRef": 6, "volume": {"size": 2},
				"nics": [{"net-id": "3dc8f3c2-f335-11eb-878c-00224d6b7bc1"}], "datastore": {"type": "mariadb", "version": "10.11"},
				"databases": [{"character_set": "utf8mb4", "collate": "utf8mb4_general_ci", "name": "shop"}, {"name": "archive"}],
				"users": [{"databases": [{"name": "shop"}], "name": "joe", "password": "correct horse"}],
				"access": {"is_public": true, "allowed_cidrs": ["203.0.113.0/24"]}}}`, http.StatusOK,
			&instancev1.CreateInstanceRequest{ProjectId: project, Instance: &instancev1.NewInstance{
				Name: proto.String("orders"), FlavorRef: number(6), Volume: &instancev1.NewVolume{Size: number(2)},
				Nics:      []*instancev1.NewNIC{{NetId: proto.String("3dc8f3c2-f335-11eb-878c-00224d6b7bc1")}},
				Datastore: &instancev1.NewDatastore{Type: proto.String("mariadb"), Version: proto.String("10.11")},
				Databases: []*instancev1.NewDatabase{
					{Name: "shop", CharacterSet: proto.String("utf8mb4"), Collate: proto.String("utf8mb4_general_ci")}, {Name: "archive"},
				},
				Users: []*instancev1.NewUser{{
					Name: "joe", Password: "correct horse", Databases: []*instancev1.NewUserDatabase{{Name: "shop"}},
				}},
				Access: &instancev1.NewAccess{IsPublic: proto.Bool(true), AllowedCidrs: []string{"203.0.113.0/24"}},
			}},
		},
		{
			http.MethodPost, "/instances", `{"instance": {"name": "orders-1", "replica_of": "` + instanceID + `", "replica_count": 2}}`,
			http.StatusOK,
			&instancev1.CreateInstanceRequest{ProjectId: project, Instance: &instancev1.NewInstance{
				Name: proto.String("orders-1"), ReplicaOf: proto.String(instanceID), ReplicaCount: number(2),
			}},
		},
		{
			http.MethodPost, managed + "/action", `{"stop": {}}`, http.StatusAccepted,
			&mgmtv1.StopInstanceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, managed + "/action", `{"reboot": {}}`, http.StatusAccepted,
			&mgmtv1.RebootInstanceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, managed + "/action", `{"migrate": {"host": "compute-7"}}`, http.StatusAccepted,
			&mgmtv1.MigrateInstanceRequest{ProjectId: project, InstanceId: instanceID, Host: proto.String("compute-7")},
		},
		{
			http.MethodPost, managed + "/action", `{"migrate": null}`, http.StatusAccepted,
			&mgmtv1.MigrateInstanceRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, managed + "/action", `{"rebuild": {"image_id": "` + imageID + `"}}`, http.StatusAccepted,
			&mgmtv1.RebuildInstanceRequest{ProjectId: project, InstanceId: instanceID, ImageId: text(imageID)},
		},
		{
			http.MethodPost, managed + "/action", `{"reset-task-status": {}}`, http.StatusAccepted,
			&mgmtv1.ResetTaskStatusRequest{ProjectId: project, InstanceId: instanceID},
		},
		{
			http.MethodPost, managed + "/action", `{"reset-task-status": null}`, http.StatusAccepted,
			&mgmtv1.ResetTaskStatusRequest{ProjectId: project, InstanceId: instanceID},
		},
	} {
		fake := cannedAPI()
		answer := play(handler(t, fake), request(c.method, inProject(c.path), c.body))
		require.Equal(t, c.code, answer.Code, "%s: %s", c.body, answer.Body)
		if c.code == http.StatusAccepted {
			assert.Empty(t, answer.Body, c.body)
		}
		require.Len(t, fake.requests, 1)
		assert.True(t, proto.Equal(c.asked, fake.requests[0]), "%s was read as %s", c.body, prototext.Format(fake.requests[0]))
	}
}
