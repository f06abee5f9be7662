package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/pkg/version"
)

// Run parses the arguments, does what they say, and answers with the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		root.PrintErrln("Error:", err)
		return 1
	}
	return 0
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "coffer",
		Short: "Databases as a service: the API of OpenStack Trove on a control plane that loses nothing",
		Long: `Databases as a service: the API of OpenStack Trove on a control plane that loses nothing.

  coffer serve                                           start everything on this machine
  coffer instance create shop --flavor db.tiny --size 1 --database shop --user keeper --wait
  coffer instance show shop`,
		Version:       version.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddGroup(
		&cobra.Group{ID: groupUse, Title: "Use a database service:"},
		&cobra.Group{ID: groupRun, Title: "Run a control plane:"},
	)
	session := &session{}
	root.PersistentFlags().StringVar(&session.cloud, "os-cloud", "", "entry of clouds.yaml (default: OS_CLOUD, the OS_* variables, or the control plane on this machine)")
	root.PersistentFlags().StringVar(&session.dataDir, "data-dir", defaultDataDir, "data folder of the control plane on this machine")
	root.AddCommand(
		newInstance(session), newTask(session), newBatch(session), newJob(session),
		newServe(session), newConfig(), newOpenRC(session), newPKI(session), newIdentity(), newMgmt(session), newOpenStack(session),
		newImage(session),
	)
	return root
}

const (
	groupUse = "use"
	groupRun = "run"
	// defaultDataDir is where `coffer serve` keeps everything unless it is told otherwise.
	defaultDataDir = "./coffer-data"
)
