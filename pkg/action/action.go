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
	CreateInstance  Name = "create_instance"
	RestartInstance Name = "restart_instance"
	DeleteInstance  Name = "delete_instance"
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
	// Title is the action in words, for people.
	Title string
}

var table = map[Name]Action{
	CreateInstance: {
		Name: CreateInstance, PolicyRule: "instance:create", Admission: AdmitNew, TaskStatus: status.TaskBuilding,
		Lane: Slow, Timeout: 30 * time.Minute, Title: "Create instance",
	},
	RestartInstance: {
		Name: RestartInstance, PolicyRule: "instance:restart", Admission: AdmitRuleR, TaskStatus: status.TaskRebooting,
		Lane: Quick, Timeout: 10 * time.Minute, Title: "Restart database",
	},
	DeleteInstance: {
		Name: DeleteInstance, PolicyRule: "instance:delete", Admission: AdmitDelete, TaskStatus: status.TaskDeleting,
		Lane: Slow, Timeout: 30 * time.Minute, Title: "Delete instance",
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
