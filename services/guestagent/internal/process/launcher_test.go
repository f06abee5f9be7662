package process_test

import (
	"testing"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process/launchertest"
)

func TestChildren(t *testing.T) { launchertest.Run(t, process.Children{}) }
