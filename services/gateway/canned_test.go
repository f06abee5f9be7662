package gateway_test

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	quotav1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/quota/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// links are what the api makes of an id.
func links(collection, id string) []*instancev1.Link {
	return []*instancev1.Link{
		{Rel: "self", Href: "https://db.example.org/v1.0/" + project + "/" + collection + "/" + id},
		{Rel: "bookmark", Href: "https://db.example.org/" + collection + "/" + id},
	}
}

// listed is an instance in the list form.
func listed() *instancev1.Instance {
	return &instancev1.Instance{
		Id: instanceID, Name: "orders", Status: "ACTIVE", OperatingStatus: "HEALTHY",
		Links:     links("instances", instanceID),
		Flavor:    &instancev1.Flavor{Id: "2", Links: links("flavors", "2")},
		Datastore: &instancev1.Datastore{Type: "mariadb", Version: "10.11"},
		Region:    "RegionOne",
		Access:    &instancev1.Access{IsPublic: proto.Bool(false)},
		Volume:    &instancev1.Volume{Size: 2},
		Ip:        []string{"127.84.16.5"},
		Addresses: []*instancev1.Address{{
			Address: "127.84.16.5", Type: "private", Network: proto.String("3dc8f3c2-f335-11eb-878c-00224d6b7bc1"),
		}},
	}
}

// detailed is the same instance in the detail form.
func detailed() *instancev1.Instance { return inDetail(listed()) }

func inDetail(i *instancev1.Instance) *instancev1.Instance {
	i.Datastore.VersionNumber = proto.String("10.11.14")
	i.Created, i.Updated = proto.String("2026-08-14T09:00:00"), proto.String("2026-08-14T09:01:00")
	i.ServiceStatusUpdated = proto.String("2026-08-14T09:02:00")
	return i
}

// shown is the same instance in the one call that shows it: a source with a replica.
func shown() *instancev1.Instance {
	i := detailed()
	i.Volume.Used, i.Volume.UsedPercent = proto.Float64(0.1234567), proto.Float64(6)
	i.Locality = proto.String("affinity")
	i.Replicas = []*instancev1.Reference{{Id: replicaID, Links: links("instances", replicaID)}}
	return i
}

// follower is that replica in the detail form, also reached from outside.
func follower() *instancev1.Instance {
	i := detailed()
	i.Id, i.Name, i.Links = replicaID, "orders-1", links("instances", replicaID)
	i.ReplicaOf = &instancev1.Reference{Id: instanceID, Links: links("instances", instanceID)}
	i.Access = &instancev1.Access{IsPublic: proto.Bool(true), AllowedCidrs: []string{"203.0.113.0/24"}}
	i.Ip = append(i.Ip, "198.51.100.7")
	i.Addresses = append(i.Addresses, &instancev1.Address{Address: "198.51.100.7", Type: "public"})
	return i
}

// managed is the same instance as admins see it in their list.
func managed() *instancev1.Instance {
	i := detailed()
	i.ServerId, i.VolumeId = proto.String("server-1"), proto.String("volume-1")
	i.Server = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"id": structpb.NewStringValue("server-1"), "name": structpb.NewStringValue("orders"),
		"status": structpb.NewStringValue("ACTIVE"), "tenant_id": structpb.NewStringValue(project),
		"host": structpb.NewNullValue(),
	}})
	return underManagement(i, "HEALTHY", "No tasks for the instance.")
}

func underManagement(i *instancev1.Instance, service, doing string) *instancev1.Instance {
	i.TenantId, i.EncryptedRpcMessaging = proto.String(project), proto.Bool(true)
	i.ServiceStatus, i.TaskDescription = proto.String(service), proto.String(doing)
	i.Deleted, i.DeletedAt = proto.Bool(false), structpb.NewNullValue()
	return i
}

// managedWhole is the same in the one call that shows it.
func managedWhole() *instancev1.Instance {
	i := managed()
	i.GuestStatus = &instancev1.GuestStatus{StateDescription: "healthy"}
	i.Server.GetStructValue().Fields["addresses"] = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"private": structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{
			structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"addr": structpb.NewStringValue("127.84.16.5"), "version": structpb.NewNumberValue(4),
			}}),
		}}),
	}})
	i.Volume = &instancev1.Volume{
		Size: 2, Id: proto.String("volume-1"), Status: proto.String("in-use"), Used: proto.Float64(0.12), Total: proto.Float64(2),
		CreatedAt: proto.String("2026-08-14T09:00:00"), AvailabilityZone: proto.String("nova"),
		Attachments: []*instancev1.Attachment{{ServerId: "server-1", Device: "/dev/vdb"}},
	}
	return i
}

// managedBroken is one whose create failed before it had a server.
func managedBroken() *instancev1.Instance {
	i := underManagement(broken(), "NEW", "Build error: Volume.")
	i.Server, i.Fault.Details = structpb.NewNullValue(), structpb.NewStringValue("/srv/volumes: no space left")
	return i
}

// listedBroken is an instance in the list form after a create that failed.
func listedBroken() *instancev1.Instance {
	i := listed()
	i.Status, i.OperatingStatus = "ERROR", ""
	i.Access, i.Ip, i.Addresses = &instancev1.Access{}, nil, nil
	return i
}

// broken is the same in the detail form, as its owner sees it.
func broken() *instancev1.Instance {
	i := inDetail(listedBroken())
	i.Fault = &instancev1.Fault{
		Message: "create_volume: no space left", Created: "2026-08-14T09:03:00", Details: structpb.NewNullValue(),
	}
	return i
}

// building is an instance as the answer of its create call shows it.
func building() *instancev1.Instance {
	i := broken()
	i.Status, i.Fault, i.Updated, i.ServiceStatusUpdated = "BUILD", nil, i.Created, i.Created
	i.Access = &instancev1.Access{IsPublic: proto.Bool(false), AllowedCidrs: []string{"0.0.0.0/0"}}
	return i
}

func task(action, status string) *taskv1.Task {
	return &taskv1.Task{
		Id: taskID, Action: action, InstanceId: instanceID, InstanceName: "orders", Status: status, Progress: 50,
		Steps: []*taskv1.TaskStep{
			{
				Name: "check_guest", Status: "SUCCEEDED", Attempt: 1, Started: proto.String("2026-08-14T09:00:01"),
				Finished: proto.String("2026-08-14T09:00:02"),
			},
			{Name: "restart_database", Status: "RUNNING", Attempt: 1, Started: proto.String("2026-08-14T09:00:02")},
		},
		Created: "2026-08-14T09:00:00", Started: proto.String("2026-08-14T09:00:01"),
		RequestId: "req-2f0ed2a5-0e54-4c8f-8cf5-b3ed2e8d7f3c",
	}
}

func datastore() *datastorev1.Datastore {
	return &datastorev1.Datastore{
		Id: "75dc45e0-2c3c-47ee-a5b8-5213288e3fe2", Name: "mariadb",
		Links: links("datastores", "75dc45e0-2c3c-47ee-a5b8-5213288e3fe2"), DefaultVersion: proto.String(version().GetId()),
		Versions: []*datastorev1.DatastoreVersion{version()},
	}
}

func version() *datastorev1.DatastoreVersion {
	return &datastorev1.DatastoreVersion{
		Id: "9e46a201-e92e-4ae0-af89-4af12a21bb45", Name: "10.11", Version: "10.11.14",
		Links: links("datastores/versions", "9e46a201-e92e-4ae0-af89-4af12a21bb45"),
	}
}

func versionAlone() *datastorev1.DatastoreVersion {
	v := version()
	v.Datastore = proto.String("75dc45e0-2c3c-47ee-a5b8-5213288e3fe2")
	return v
}

func flavor() *flavorv1.Flavor {
	return &flavorv1.Flavor{
		Id: structpb.NewNumberValue(2), Links: links("flavors", "2"), Name: "db.small", Ram: 1024, Vcpus: 1, StrId: "2",
	}
}

func namedFlavor() *flavorv1.Flavor {
	return &flavorv1.Flavor{
		Id: structpb.NewNullValue(), Links: links("flavors", "gold"), Name: "db.gold", Ram: 4096, Vcpus: 2, Disk: 20, StrId: "gold",
	}
}

// cannedAPI answers every call, and dry runs of those whose answers differ in form.
func cannedAPI() *api {
	return &api{plans: map[string]proto.Message{
		instancev1.InstanceService_PromoteToReplicaSource_FullMethodName: &instancev1.PromoteToReplicaSourceResponse{
			Plan: &taskv1.Plan{
				Action: "promote_to_replica_source", InstanceId: instanceID, Members: []string{taskID},
				Steps: []*taskv1.PlanStep{{Name: "catch_up"}, {Name: "switch_over", Undoable: true}}, Downtime: "A moment.",
			},
		},
		instancev1.InstanceService_CreateInstance_FullMethodName: &instancev1.CreateInstanceResponse{
			Instance: building(), Plan: &taskv1.Plan{Action: "create_instance", InstanceId: instanceID, Downtime: "None."},
		},
		instancev1.InstanceService_ResetStatus_FullMethodName: &instancev1.ResetStatusResponse{
			Plan: &taskv1.Plan{Action: "reset_status", InstanceId: instanceID, Downtime: "None."},
		},
		ddmv1.DDMService_RestartInstance_FullMethodName: &ddmv1.RestartInstanceResponse{
			Plan: &taskv1.Plan{Action: "restart_instance", InstanceId: instanceID, Downtime: "Seconds."},
		},
	}, answers: map[string]proto.Message{
		instancev1.InstanceService_ListInstances_FullMethodName: &instancev1.ListInstancesResponse{
			Instances: []*instancev1.Instance{listed(), listedBroken()}, NextMarker: instanceID,
		},
		instancev1.InstanceService_ListInstanceDetails_FullMethodName: &instancev1.ListInstanceDetailsResponse{
			Instances: []*instancev1.Instance{detailed(), follower(), broken()},
		},
		instancev1.InstanceService_GetInstance_FullMethodName: &instancev1.GetInstanceResponse{Instance: shown()},
		instancev1.InstanceService_CreateInstance_FullMethodName: &instancev1.CreateInstanceResponse{
			Instance: building(), Task: task("create_instance", "QUEUED"),
		},
		instancev1.InstanceService_DeleteInstance_FullMethodName: &instancev1.DeleteInstanceResponse{
			Task: task("delete_instance", "QUEUED"),
		},
		instancev1.InstanceService_RestartInstance_FullMethodName: &instancev1.RestartInstanceResponse{
			Task: task("restart_instance", "QUEUED"),
		},
		instancev1.InstanceService_UpdateInstance_FullMethodName: &instancev1.UpdateInstanceResponse{},
		instancev1.InstanceService_EditInstance_FullMethodName: &instancev1.EditInstanceResponse{
			Task: task("upgrade_instance", "QUEUED"),
		},
		instancev1.InstanceService_ListInstanceBackups_FullMethodName: &instancev1.ListInstanceBackupsResponse{},
		instancev1.InstanceService_GetInstanceConfiguration_FullMethodName: &instancev1.GetInstanceConfigurationResponse{
			Instance: &instancev1.InstanceConfiguration{Configuration: &structpb.Struct{Fields: map[string]*structpb.Value{
				"max_connections": structpb.NewStringValue("100"),
			}}},
		},
		instancev1.InstanceService_ResizeFlavor_FullMethodName: &instancev1.ResizeFlavorResponse{
			Task: task("resize_flavor", "QUEUED"),
		},
		instancev1.InstanceService_ResizeVolume_FullMethodName: &instancev1.ResizeVolumeResponse{
			Task: task("resize_volume", "QUEUED"),
		},
		instancev1.InstanceService_PromoteToReplicaSource_FullMethodName: &instancev1.PromoteToReplicaSourceResponse{
			Task: task("promote_to_replica_source", "QUEUED"),
		},
		instancev1.InstanceService_EjectReplicaSource_FullMethodName: &instancev1.EjectReplicaSourceResponse{
			Task: task("eject_replica_source", "QUEUED"),
		},
		instancev1.InstanceService_ResetStatus_FullMethodName: &instancev1.ResetStatusResponse{},
		ddmv1.DDMService_RestartInstance_FullMethodName: &ddmv1.RestartInstanceResponse{
			InstanceId: instanceID, InstanceName: "orders", JobId: taskID, Task: task("restart_instance", "QUEUED"),
		},
		ddmv1.DDMService_GetJob_FullMethodName: &ddmv1.GetJobResponse{Job: &ddmv1.Job{
			Id: taskID, Name: "RestartInstance", Status: "Running", CreatedTime: "2026-08-14T09:00:00+0000", Process: "50%",
			Instance: &ddmv1.JobInstance{Id: instanceID, Name: "orders"},
		}},
		ddmv1.DDMService_ListJobs_FullMethodName: &ddmv1.ListJobsResponse{
			Jobs: []*ddmv1.Job{{
				Id: taskID, Name: "RestartInstance", Status: "Completed", CreatedTime: "2026-08-14T09:00:00+0000",
				EndTime: "2026-08-14T09:00:03+0000", InstanceId: proto.String(instanceID), InstanceName: proto.String("orders"),
			}},
			Limit: 10, Total: 1,
		},
		dmsv1.DMSService_BatchRestartOrDeleteInstances_FullMethodName: &dmsv1.BatchRestartOrDeleteInstancesResponse{
			Results: []*dmsv1.Result{{Result: "success", Instance: instanceID}, {Result: "failed", Instance: taskID}},
		},
		mgmtv1.ManagementService_ListManagedInstances_FullMethodName: &mgmtv1.ListManagedInstancesResponse{
			Instances: []*instancev1.Instance{managed(), managedBroken()}, NextMarker: "20",
		},
		mgmtv1.ManagementService_GetManagedInstance_FullMethodName: &mgmtv1.GetManagedInstanceResponse{Instance: managedWhole()},
		mgmtv1.ManagementService_StopInstance_FullMethodName: &mgmtv1.StopInstanceResponse{
			Task: task("stop_instance", "SUCCEEDED"),
		},
		mgmtv1.ManagementService_RebootInstance_FullMethodName: &mgmtv1.RebootInstanceResponse{
			Task: task("reboot_instance", "QUEUED"),
		},
		mgmtv1.ManagementService_MigrateInstance_FullMethodName: &mgmtv1.MigrateInstanceResponse{
			Task: task("migrate_instance", "QUEUED"),
		},
		mgmtv1.ManagementService_ResetTaskStatus_FullMethodName: &mgmtv1.ResetTaskStatusResponse{},
		mgmtv1.ManagementService_RebuildInstance_FullMethodName: &mgmtv1.RebuildInstanceResponse{
			Task: task("rebuild_instance", "QUEUED"),
		},
		datastorev1.DatastoreService_ListDatastores_FullMethodName: &datastorev1.ListDatastoresResponse{
			Datastores: []*datastorev1.Datastore{datastore()},
		},
		datastorev1.DatastoreService_GetDatastore_FullMethodName: &datastorev1.GetDatastoreResponse{Datastore: datastore()},
		datastorev1.DatastoreService_ListDatastoreVersions_FullMethodName: &datastorev1.ListDatastoreVersionsResponse{
			Versions: []*datastorev1.DatastoreVersion{versionAlone()},
		},
		datastorev1.DatastoreService_GetDatastoreVersion_FullMethodName: &datastorev1.GetDatastoreVersionResponse{
			Version: versionAlone(),
		},
		flavorv1.FlavorService_ListFlavors_FullMethodName: &flavorv1.ListFlavorsResponse{
			Flavors: []*flavorv1.Flavor{flavor(), namedFlavor()},
		},
		flavorv1.FlavorService_GetFlavor_FullMethodName: &flavorv1.GetFlavorResponse{Flavor: flavor()},
		quotav1.QuotaService_ListLimits_FullMethodName: &quotav1.ListLimitsResponse{Limits: []*quotav1.Limit{
			{
				Verb: "ABSOLUTE", MaxInstances: proto.Int32(10), MaxRam: proto.Int32(-1), MaxVolumes: proto.Int32(40),
				MaxBackups: proto.Int32(50),
			},
			{
				Verb: "POST", Unit: proto.String("MINUTE"), Value: proto.Int32(200), Remaining: proto.Int32(0),
				Uri: proto.String("*"), Regex: proto.String(".*"), NextAvailable: proto.String("2026-08-14T09:00:00Z"),
			},
		}},
		taskv1.TaskService_ListTasks_FullMethodName: &taskv1.ListTasksResponse{
			Tasks: []*taskv1.Task{task("restart_instance", "RUNNING")}, NextMarker: taskID,
		},
		taskv1.TaskService_GetTask_FullMethodName:    &taskv1.GetTaskResponse{Task: task("restart_instance", "RUNNING")},
		taskv1.TaskService_CancelTask_FullMethodName: &taskv1.CancelTaskResponse{Task: task("restart_instance", "RUNNING")},
	}}
}
