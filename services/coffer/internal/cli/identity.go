package cli

import (
	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/serve"
)

func newIdentity() *cobra.Command {
	command := &cobra.Command{
		Use: "identity", Short: "Make the users of an api that runs alone", GroupID: groupRun,
	}
	command.AddCommand(newIdentityInit())
	return command
}

func newIdentityInit() *cobra.Command {
	var file, clouds string
	command := &cobra.Command{
		Use: "init", Short: "Make the users file that the configuration names, and a clouds.yaml with its passwords", Args: cobra.NoArgs,
		Example: "  coffer identity init --config /etc/coffer/coffer.yaml --clouds ./clouds.yaml",
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := loadSettings(command, file)
			if err != nil {
				return err
			}
			if settings, err = settings.Completed(); err != nil {
				return err
			}
			if err := serve.InitIdentity(settings, clouds); err != nil {
				return err
			}
			command.Printf("%s: clouds %s, %s, %s; users in %s\n",
				clouds, serve.MemberCloud, serve.ReaderCloud, serve.AdminCloud, settings.API.Identity.Builtin.UsersFile)
			return nil
		},
	}
	command.Flags().StringVar(&file, "config", "", "configuration file, YAML")
	command.Flags().StringVar(&clouds, "clouds", serve.CloudsFile, "where to write the passwords and where to log in; no file may be there")
	return command
}
