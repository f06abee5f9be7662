package bus

import (
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/action"
)

// The streams.
const (
	// CommandStream is the work queue of commands.
	CommandStream = "COFFER_COMMANDS"
	// EventStream keeps a day of events.
	EventStream = "COFFER_EVENTS"
)

// The two sorts of event subjects.
const (
	InstanceEvents = "instance"
	TaskEvents     = "task"
)

// CommandSubject is where a command is rung: coffer.command.<lane>.<action>.
func CommandSubject(a action.Action) string {
	return fmt.Sprintf("coffer.command.%s.%s", a.Lane, a.Name)
}

// LaneSubjects matches all commands of a lane.
func LaneSubjects(lane action.Lane) string { return fmt.Sprintf("coffer.command.%s.*", lane) }

// AllCommands matches all commands.
const AllCommands = "coffer.command.>"

// EventSubject is where an event is told: coffer.event.<project>.<instance|task>.
func EventSubject(projectID, sort string) string {
	return fmt.Sprintf("coffer.event.%s.%s", projectID, sort)
}

// ProjectEvents matches all events of a project.
func ProjectEvents(projectID string) string { return fmt.Sprintf("coffer.event.%s.*", projectID) }

// AllEvents matches all events.
const AllEvents = "coffer.event.>"

// Consumer is the durable consumer of a lane.
func Consumer(lane action.Lane) string { return "taskmanager-" + string(lane) }

// MessageID is a command's Nats-Msg-Id: the n-th ring of a task. Each new ring needs a new number, because JetStream
// drops a repeated id for two minutes even after its first copy was worked.
func MessageID(taskID string, n int) string { return fmt.Sprintf("%s/%d", taskID, n) }

// GuestsChanged is a bare subject, kept by no stream: the set of guests or of their monitors has changed.
const GuestsChanged = "coffer.guests"
