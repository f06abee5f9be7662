package status

import (
	"slices"
	"time"
)

// Task is Trove's task status: what the control plane is doing with an instance.
type Task string

// The task statuses: trove/instance/tasks.py.
const (
	TaskNone                  Task = "NONE"
	TaskDeleting              Task = "DELETING"
	TaskRebooting             Task = "REBOOTING"
	TaskResizing              Task = "RESIZING"
	TaskBuilding              Task = "BUILDING"
	TaskMigrating             Task = "MIGRATING"
	TaskRestartRequired       Task = "RESTART_REQUIRED"
	TaskPromoting             Task = "PROMOTING"
	TaskEjecting              Task = "EJECTING"
	TaskLogging               Task = "LOGGING"
	TaskDetaching             Task = "DETACHING"
	TaskUpdating              Task = "UPDATING"
	TaskUpgrading             Task = "UPGRADING"
	TaskBuildingErrorDNS      Task = "BUILDING_ERROR_DNS"
	TaskBuildingErrorServer   Task = "BUILDING_ERROR_SERVER"
	TaskBuildingErrorVolume   Task = "BUILDING_ERROR_VOLUME"
	TaskBuildingErrorSecGroup Task = "BUILDING_ERROR_SEC_GROUP"
	TaskBuildingErrorReplica  Task = "BUILDING_ERROR_REPLICA"
	TaskBuildingErrorPort     Task = "BUILDING_ERROR_PORT"
	TaskBuildingErrorTimeout  Task = "BUILDING_ERROR_TIMEOUT_GA"
	TaskPromotionError        Task = "PROMOTION_ERROR"
	TaskEjectionError         Task = "EJECTION_ERROR"
	TaskUpdatingErrorAccess   Task = "UPDATING_ERROR_ACCESS"
	// TaskDeletingError is Coffer's own: a delete that failed. Trove leaves such an instance in ERROR too.
	TaskDeletingError Task = "DELETING_ERROR"
)

var taskErrors = []Task{
	TaskBuildingErrorDNS, TaskBuildingErrorServer, TaskBuildingErrorVolume, TaskBuildingErrorSecGroup,
	TaskBuildingErrorReplica, TaskBuildingErrorPort, TaskBuildingErrorTimeout, TaskPromotionError, TaskEjectionError,
	TaskUpdatingErrorAccess, TaskDeletingError,
}

// IsError says whether the task status is one that stays until it is reset or the instance is deleted.
func (t Task) IsError() bool { return slices.Contains(taskErrors, t) }

// Server is compute's word for the state of a server.
type Server string

// The server statuses that count in the precedence; any other word is shown as UNKNOWN.
const (
	ServerNone         Server = ""
	ServerBuild        Server = "BUILD"
	ServerActive       Server = "ACTIVE"
	ServerError        Server = "ERROR"
	ServerReboot       Server = "REBOOT"
	ServerResize       Server = "RESIZE"
	ServerVerifyResize Server = "VERIFY_RESIZE"
	ServerShutdown     Server = "SHUTDOWN"
	ServerDeleted      Server = "DELETED"
)

// Service is Trove's service status: what the guest says of its database.
type Service string

// The service statuses: trove/instance/service_status.py.
const (
	ServiceRunning         Service = "RUNNING"
	ServiceBlocked         Service = "BLOCKED"
	ServicePaused          Service = "PAUSED"
	ServiceShutdown        Service = "SHUTDOWN"
	ServiceDeleted         Service = "DELETED"
	ServiceCrashed         Service = "CRASHED"
	ServiceFailed          Service = "FAILED"
	ServiceBuilding        Service = "BUILDING"
	ServicePromoting       Service = "PROMOTING"
	ServiceEjecting        Service = "EJECTING"
	ServiceUnknown         Service = "UNKNOWN"
	ServiceNew             Service = "NEW"
	ServiceFailedTimeout   Service = "FAILED_TIMEOUT_GUESTAGENT"
	ServiceInstanceReady   Service = "INSTANCE_READY"
	ServiceRestartRequired Service = "RESTART_REQUIRED"
	ServiceHealthy         Service = "HEALTHY"
	ServiceUpgrading       Service = "UPGRADING"
	ServiceRestarting      Service = "RESTARTING"
)

// serviceWords are the service statuses as the API shows them.
var serviceWords = map[Service]string{
	ServiceRunning:         "ACTIVE",
	ServiceBlocked:         "BLOCKED",
	ServicePaused:          "SHUTDOWN",
	ServiceShutdown:        "SHUTDOWN",
	ServiceDeleted:         "DELETED",
	ServiceCrashed:         "SHUTDOWN",
	ServiceFailed:          "FAILED",
	ServiceBuilding:        "BUILD",
	ServicePromoting:       "PROMOTE",
	ServiceEjecting:        "EJECT",
	ServiceUnknown:         "ERROR",
	ServiceNew:             "NEW",
	ServiceFailedTimeout:   "ERROR",
	ServiceInstanceReady:   "BUILD",
	ServiceRestartRequired: "RESTART_REQUIRED",
	ServiceHealthy:         "HEALTHY",
	ServiceUpgrading:       "UPGRADING",
	ServiceRestarting:      "RESTARTING",
}

// Known says whether the word is a service status.
func (s Service) Known() bool { _, ok := serviceWords[s]; return ok }

// HeartbeatExpiry is how old the last sign of life of a guest may be before its service counts as unknown: Trove's
// agent_heartbeat_expiry.
const HeartbeatExpiry = 90 * time.Second

// Inputs are what the shown states are computed from.
type Inputs struct {
	Task    Task
	Server  Server
	Service Service
	// BackupRunning says that a backup of the instance is NEW, BUILDING or SAVING.
	BackupRunning bool
	// Deleted is for admins' views of deleted instances.
	Deleted bool
	// Silent says that the guest's last sign of life is older than HeartbeatExpiry.
	Silent bool
}

var taskWords = map[Task]string{
	TaskRebooting:       "REBOOT",
	TaskResizing:        "RESIZE",
	TaskUpgrading:       "UPGRADE",
	TaskRestartRequired: "RESTART_REQUIRED",
	TaskPromoting:       "PROMOTE",
	TaskEjecting:        "EJECT",
	TaskDetaching:       "DETACH",
}

// Shown computes `status`; the first rule that matches wins.
func Shown(in Inputs) string {
	switch {
	case in.Deleted:
		return "SHUTDOWN"
	case in.Task.IsError():
		return "ERROR"
	case in.Task == TaskBuilding && in.Server == ServerError:
		return "ERROR"
	case in.Task == TaskBuilding:
		return "BUILD"
	case taskWords[in.Task] != "":
		return taskWords[in.Task]
	case in.Task == TaskDeleting:
		if slices.Contains([]Server{ServerActive, ServerShutdown, ServerDeleted, ServerNone}, in.Server) {
			return "SHUTDOWN"
		}
		return "ERROR"
	case in.BackupRunning:
		return "BACKUP"
	}
	switch in.Server {
	case ServerBuild, ServerError, ServerReboot, ServerResize, ServerActive, ServerShutdown:
		return string(in.Server)
	case ServerNone, ServerDeleted:
		return "SHUTDOWN"
	case ServerVerifyResize:
		return "RESIZE"
	}
	return "UNKNOWN"
}

// Operating computes `operating_status`: empty unless nothing is being done and the server is ACTIVE.
func Operating(in Inputs) string {
	if in.Task != TaskNone || in.Server != ServerActive {
		return ""
	}
	if in.Silent && in.Service != ServiceRestartRequired {
		return "ERROR"
	}
	return serviceWords[in.Service]
}

var actionable = []Service{
	ServiceRunning, ServiceShutdown, ServiceCrashed, ServiceBlocked, ServiceHealthy, ServiceRestartRequired,
}

// CanPerformAction is Trove's rule "can perform action"; refused says which of the two statuses forbids it, in
// Trove's words: "instance status was S" or "task status was S".
func CanPerformAction(in Inputs) (ok bool, refused string) {
	if in.Server != ServerActive {
		return false, "instance status was " + Shown(in)
	}
	if in.Task != TaskNone && in.Task != TaskRestartRequired {
		return false, "task status was " + string(in.Task)
	}
	if in.BackupRunning {
		return false, "instance status was BACKUP"
	}
	if !slices.Contains(actionable, in.Service) {
		return false, "instance status was " + serviceWords[in.Service]
	}
	return true, ""
}

// ServiceWord is a service status as the API shows it.
func ServiceWord(s Service) string { return serviceWords[s] }
