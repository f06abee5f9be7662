package status

// taskDescriptions are trove/instance/tasks.py's, shown to admins.
var taskDescriptions = map[Task]string{
	TaskNone:                  "No tasks for the instance.",
	TaskDeleting:              "Deleting the instance.",
	TaskRebooting:             "Rebooting the instance.",
	TaskResizing:              "Resizing the instance.",
	TaskBuilding:              "The instance is building.",
	TaskMigrating:             "Migrating the instance.",
	TaskRestartRequired:       "Instance requires a restart.",
	TaskPromoting:             "Promoting the instance to replica source.",
	TaskEjecting:              "Ejecting the replica source.",
	TaskLogging:               "Transferring guest logs.",
	TaskDetaching:             "Detaching the instance from replica source.",
	TaskUpdating:              "Updating the instance.",
	TaskUpgrading:             "Upgrading the instance.",
	TaskBuildingErrorDNS:      "Build error: DNS.",
	TaskBuildingErrorServer:   "Build error: Server.",
	TaskBuildingErrorVolume:   "Build error: Volume.",
	TaskBuildingErrorSecGroup: "Build error: Secgroup or rule.",
	TaskBuildingErrorReplica:  "Build error: Replica.",
	TaskBuildingErrorPort:     "Build error: Port.",
	TaskBuildingErrorTimeout:  "Build error: guestagent timeout.",
	TaskPromotionError:        "Replica Promotion Error.",
	TaskEjectionError:         "Replica Source Ejection Error.",
	TaskUpdatingErrorAccess:   "Update error: Access.",
	TaskDeletingError:         "Delete error.",
}

// Description is Trove's text for a task status.
func (t Task) Description() string { return taskDescriptions[t] }

// serviceDescriptions are trove/instance/service_status.py's, shown to admins.
var serviceDescriptions = map[Service]string{
	ServiceRunning:         "running",
	ServiceBlocked:         "blocked",
	ServicePaused:          "paused",
	ServiceShutdown:        "shutdown",
	ServiceDeleted:         "deleted",
	ServiceCrashed:         "crashed",
	ServiceFailed:          "failed to spawn",
	ServiceBuilding:        "building",
	ServicePromoting:       "promoting replica",
	ServiceEjecting:        "ejecting replica source",
	ServiceUnknown:         "unknown",
	ServiceNew:             "new",
	ServiceFailedTimeout:   "guestagent error",
	ServiceInstanceReady:   "instance ready",
	ServiceRestartRequired: "restart required",
	ServiceHealthy:         "healthy",
	ServiceUpgrading:       "upgrading",
	ServiceRestarting:      "restarting",
}

// Description is Trove's text for a service status.
func (s Service) Description() string { return serviceDescriptions[s] }
