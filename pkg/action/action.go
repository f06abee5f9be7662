package action

import (
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
)

// Name is an action's name: Trove's verb and a noun, in snake case.
type Name string

// The actions.
const (
	CreateInstance         Name = "create_instance"
	RestartInstance        Name = "restart_instance"
	DeleteInstance         Name = "delete_instance"
	CreateReplica          Name = "create_replica"
	ResizeFlavor           Name = "resize_flavor"
	ResizeVolume           Name = "resize_volume"
	PromoteToReplicaSource Name = "promote_to_replica_source"
	EjectReplicaSource     Name = "eject_replica_source"
	DetachReplica          Name = "detach_replica"
	UpgradeInstance        Name = "upgrade_instance"
	UpdateAccess           Name = "update_access"
	StopInstance           Name = "stop_instance"
	RebootInstance         Name = "reboot_instance"
	MigrateInstance        Name = "migrate_instance"
	RebuildInstance        Name = "rebuild_instance"
)

// Lane says which consumer works an action, so that slow ones never delay quick ones.
type Lane string

// The lanes.
const (
	Quick Lane = "quick"
	Slow  Lane = "slow"
)

// Lanes are all lanes.
var Lanes = []Lane{Quick, Slow}

// Admission says in which states an action is accepted.
type Admission int

// The admissions.
const (
	// AdmitNew is for the action that makes the instance.
	AdmitNew Admission = iota
	// AdmitRuleR is Trove's "can perform action": server ACTIVE, no other task, service reachable, no backup running.
	AdmitRuleR
	// AdmitDelete is any state but BUILD; the running task is asked to end, and a second delete joins the first.
	AdmitDelete
	// AdmitEject is a source with replicas that is silent or down, and a set in which nothing runs.
	AdmitEject
	// AdmitIdle is any state of the database, as long as no task runs: it is for what mends a broken one.
	AdmitIdle
	// AdmitAny is any state; the task waits for those that were accepted before it. Trove checks nothing here.
	AdmitAny
)

// Action is one row of the table.
type Action struct {
	Name Name
	// PolicyRule is Trove's name of the rule that says who may.
	PolicyRule string
	Admission  Admission
	// TaskStatus is what the instance's task status says while the action runs.
	TaskStatus status.Task
	Lane       Lane
	// Timeout bounds the whole task, retries included.
	Timeout time.Duration
	// WholeSet says that the task holds every member of the instance's replication set, not only the instance.
	WholeSet bool
	// Title is the action in words, for people.
	Title string
	// Downtime is what the database's clients notice, in words: a dry run tells it.
	Downtime string
}

const mgmtRule = "mgmt:instance:action"

var table = map[Name]Action{
	CreateInstance: {
		Name: CreateInstance, PolicyRule: "instance:create", Admission: AdmitNew, TaskStatus: status.TaskBuilding,
		Lane: Slow, Timeout: 30 * time.Minute, Title: "Create instance", Downtime: "None: the database is new.",
	},
	RestartInstance: {
		Name: RestartInstance, PolicyRule: "instance:restart", Admission: AdmitRuleR, TaskStatus: status.TaskRebooting,
		Lane: Quick, Timeout: 10 * time.Minute, Title: "Restart database",
		Downtime: "The database is away while its process stops and starts, seconds as a rule.",
	},
	DeleteInstance: {
		Name: DeleteInstance, PolicyRule: "instance:delete", Admission: AdmitDelete, TaskStatus: status.TaskDeleting,
		Lane: Slow, Timeout: 30 * time.Minute, Title: "Delete instance", Downtime: "The database is gone for good.",
	},
	CreateReplica: {
		Name: CreateReplica, PolicyRule: "instance:create", Admission: AdmitNew, TaskStatus: status.TaskBuilding,
		Lane: Slow, Timeout: 12 * time.Hour, Title: "Create replica", Downtime: "None: the source goes on working.",
	},
	ResizeFlavor: {
		Name: ResizeFlavor, PolicyRule: "instance:resize_flavor", Admission: AdmitRuleR, TaskStatus: status.TaskResizing,
		Lane: Slow, Timeout: time.Hour, Title: "Resize flavor",
		Downtime: "The database is away while its server changes size and starts again.",
	},
	ResizeVolume: {
		Name: ResizeVolume, PolicyRule: "instance:resize_volume", Admission: AdmitRuleR, TaskStatus: status.TaskResizing,
		Lane: Slow, Timeout: time.Hour, Title: "Resize volume", Downtime: "None: the volume grows in use.",
	},
	PromoteToReplicaSource: {
		Name: PromoteToReplicaSource, PolicyRule: "instance:promote_to_replica_source", Admission: AdmitRuleR,
		TaskStatus: status.TaskPromoting, Lane: Quick, Timeout: 2 * time.Hour, WholeSet: true, Title: "Promote to replica source",
		Downtime: "Writes are refused for the moment of the switch, then go to the new source's address.",
	},
	EjectReplicaSource: {
		Name: EjectReplicaSource, PolicyRule: "instance:eject_replica_source", Admission: AdmitEject,
		TaskStatus: status.TaskEjecting, Lane: Quick, Timeout: 2 * time.Hour, WholeSet: true, Title: "Eject replica source",
		Downtime: "Writes end for good on the old source, and go on at the elected one's address.",
	},
	DetachReplica: {
		Name: DetachReplica, PolicyRule: "instance:update", Admission: AdmitRuleR, TaskStatus: status.TaskDetaching,
		Lane: Quick, Timeout: 10 * time.Minute, Title: "Detach replica", Downtime: "None.",
	},
	UpgradeInstance: {
		Name: UpgradeInstance, PolicyRule: "instance:update", Admission: AdmitRuleR, TaskStatus: status.TaskUpgrading,
		Lane: Slow, Timeout: 12 * time.Hour, Title: "Upgrade datastore version",
		Downtime: "The database is away while its data are cloned and converted and the new version starts.",
	},
	UpdateAccess: {
		Name: UpdateAccess, PolicyRule: "instance:update", Admission: AdmitRuleR, TaskStatus: status.TaskUpdating,
		Lane: Quick, Timeout: 10 * time.Minute, Title: "Update access", Downtime: "None for clients that stay allowed.",
	},
	StopInstance: {
		Name: StopInstance, PolicyRule: mgmtRule, Admission: AdmitAny, TaskStatus: status.TaskRebooting,
		Lane: Quick, Timeout: 10 * time.Minute, Title: "Stop database",
		Downtime: "The database is away until it is restarted.",
	},
	RebootInstance: {
		Name: RebootInstance, PolicyRule: mgmtRule, Admission: AdmitAny, TaskStatus: status.TaskRebooting,
		Lane: Quick, Timeout: 30 * time.Minute, Title: "Reboot server",
		Downtime: "The database is away while its server restarts.",
	},
	MigrateInstance: {
		Name: MigrateInstance, PolicyRule: mgmtRule, Admission: AdmitRuleR, TaskStatus: status.TaskMigrating,
		Lane: Slow, Timeout: 2 * time.Hour, Title: "Migrate server",
		Downtime: "The database is away while its server moves.",
	},
	RebuildInstance: {
		Name: RebuildInstance, PolicyRule: mgmtRule, Admission: AdmitAny, TaskStatus: status.TaskBuilding,
		Lane: Slow, Timeout: time.Hour, Title: "Rebuild server",
		Downtime: "The database is away while its server is made anew.",
	},
}

// Lookup finds an action by its name.
func Lookup(name Name) (Action, bool) {
	a, ok := table[name]
	return a, ok
}

// Names are the names in the order in which the command declares them.
func Names() []Name {
	fields := oneof().Fields()
	names := make([]Name, 0, fields.Len())
	for i := range fields.Len() {
		names = append(names, Name(fields.Get(i).Name()))
	}
	return names
}

// Of is the name of the action that a command orders; empty when it orders none.
func Of(command *commandv1.Command) Name {
	field := command.ProtoReflect().WhichOneof(oneof())
	if field == nil {
		return ""
	}
	return Name(field.Name())
}

func oneof() protoreflect.OneofDescriptor {
	return (&commandv1.Command{}).ProtoReflect().Descriptor().Oneofs().ByName("action")
}
