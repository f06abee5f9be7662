package unit_test

import (
	"os"
	"testing"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process/launchertest"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/unit"
)

// A machine of the guest image runs this test, for those that have no systemd: see deploy/image/README.md.
func TestAUnitIsALauncher(t *testing.T) {
	if !unit.Booted() || os.Geteuid() != 0 {
		t.Skip("systemd is not the init of this machine, or we are not root")
	}
	launchertest.Run(t, unit.Launcher{Name: "coffer-test.service"})
}
