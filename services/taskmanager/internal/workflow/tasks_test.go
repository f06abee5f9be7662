package workflow_test

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

const former, larger = int32(512), int32(1024)

const formerVersion, newVersion = "10.11.14", "11.8.3"

// described is an instance as the api describes it, with what the create left to the row.
func described(instance *journalv1.Instance) *journalv1.Instance {
	instance.Flavor = &commandv1.Flavor{Id: "1", Name: "db.tiny", Ram: former}
	instance.VolumeSize = 1
	instance.DatastoreVersion = &commandv1.DatastoreVersion{Manager: "mariadb", Name: "10.11", Version: formerVersion}
	return instance
}

func resizeFlavorTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "resize", Action: &commandv1.Command_ResizeFlavor{
		ResizeFlavor: &commandv1.ResizeFlavor{Flavor: &commandv1.Flavor{Id: "2", Name: "db.small", Ram: larger}},
	}})
}

func resizeVolumeTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "grow", Action: &commandv1.Command_ResizeVolume{
		ResizeVolume: &commandv1.ResizeVolume{Size: 3},
	}})
}

func stopTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "stop", Action: &commandv1.Command_StopInstance{}})
}

func rebootTask(instance *journalv1.Instance, hard bool) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "reboot", Action: &commandv1.Command_RebootInstance{
		RebootInstance: &commandv1.RebootInstance{Hard: hard},
	}})
}

func migrateTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "migrate", Action: &commandv1.Command_MigrateInstance{
		MigrateInstance: &commandv1.MigrateInstance{Host: "elsewhere"},
	}})
}

func rebuildTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "rebuild", Action: &commandv1.Command_RebuildInstance{
		RebuildInstance: &commandv1.RebuildInstance{ImageId: "image"},
	}})
}

func accessTask(instance *journalv1.Instance, access *commandv1.Access) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "access", Action: &commandv1.Command_UpdateAccess{
		UpdateAccess: &commandv1.UpdateAccess{Access: access},
	}})
}

func upgradeTask(instance *journalv1.Instance) *flowtest.Journal {
	return taskOn(described(instance), &commandv1.Command{TaskId: "upgrade", Action: &commandv1.Command_UpgradeInstance{
		UpgradeInstance: &commandv1.UpgradeInstance{
			DatastoreVersion: &commandv1.DatastoreVersion{Manager: "mariadb", Name: "11.8", Version: newVersion},
		},
	}})
}

// hurry lets what waits for a server to boot fail soon.
func (b *bench) hurry() { b.parts.BootLimit = 2 * time.Second }

// addressBook finds guests by their instances' ids.
type addressBook map[string]string

func (a addressBook) GuestAddress(_ context.Context, instanceID string) (string, error) {
	if address, known := a[instanceID]; known {
		return address, nil
	}
	return "", errs.New(errs.NotFound, "NO_GUEST", "There is no such guest.")
}
