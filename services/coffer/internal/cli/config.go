package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/serve"
	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

func newConfig() *cobra.Command {
	command := newGroup("config", "Check and show the configuration", groupRun)
	command.AddCommand(newConfigCheck(), newConfigShow())
	return command
}

func newConfigCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong in a configuration file, with line numbers", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if _, err := loadSettings(command, args[0]); err != nil {
				return err
			}
			command.Println(args[0], "is fine")
			return nil
		},
	}
}

func newConfigShow() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "show", Short: "Print the settings that apply, with secrets hidden, and the network's ids", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := loadSettings(command, file)
			if err != nil {
				return err
			}
			if settings, err = settings.Completed(); err != nil {
				return err
			}
			text, err := config.Show(settings)
			if err != nil {
				return err
			}
			command.Print(string(text))
			return printNetwork(command, settings)
		},
	}
	command.Flags().StringVar(&file, "config", "", "configuration file, YAML")
	return command
}

// printNetwork adds what a create call may name in nics; it is drawn at the first start of a data folder.
func printNetwork(command *cobra.Command, settings serve.Config) error {
	network, err := taskmanager.ReadNetwork(settings.Taskmanager.Local.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the network of the data folder: %w", err)
	}
	command.Printf("# network %s, subnet %s\n", network.ID, network.SubnetID)
	return nil
}
