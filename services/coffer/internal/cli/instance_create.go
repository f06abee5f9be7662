package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// createFlags are what a create call can be told.
type createFlags struct {
	flavor, datastore, version string
	size                       int
	databases                  []string
	user, passwordFile         string
}

func newInstanceCreate(s *session) *cobra.Command {
	var (
		flags createFlags
		as    format
		wait  bool
	)
	command := &cobra.Command{
		Use: "create NAME", Short: "Create an instance", Args: oneArgument,
		Example: "  coffer instance create shop --flavor db.tiny --size 1 --database shop --user keeper --wait",
		RunE: func(command *cobra.Command, args []string) error {
			service, err := s.connect(command.Context())
			if err != nil {
				return err
			}
			wanted, generated, err := flags.instance(command, service, args[0])
			if err != nil {
				return err
			}
			made, taskID, err := service.CreateInstance(command.Context(), wanted)
			if err != nil {
				return err
			}
			if generated != "" {
				// It exists nowhere else, so it is told before anything can go wrong; on stderr, for scripts' sake.
				command.PrintErrf("password of %s: %s\n", flags.user, generated)
			}
			if wait {
				if err := await(command, service, as, taskID, made.ID, "BUILD"); err != nil {
					return err
				}
				if made, err = service.Instance(command.Context(), made.ID); err != nil {
					return err
				}
			}
			if as.json() {
				return printJSON(command.OutOrStdout(), struct {
					client.Instance
					TaskID string `json:"task_id,omitempty"`
				}{made, taskID})
			}
			return flags.show(command, made, taskID)
		},
	}
	command.Flags().StringVar(&flags.flavor, "flavor", "", "size of the server: a flavor's name or id")
	command.Flags().IntVar(&flags.size, "size", 0, "size of the volume in GiB")
	command.Flags().StringVar(&flags.datastore, "datastore", "", "engine, such as mariadb (default: the service's)")
	command.Flags().StringVar(&flags.version, "datastore-version", "", "version of the engine (default: the service's)")
	command.Flags().StringArrayVar(&flags.databases, "database", nil, "database to make; may be repeated")
	command.Flags().StringVar(&flags.user, "user", "", "user to make, owner of these databases; a password is made up and shown once")
	command.Flags().StringVar(&flags.passwordFile, "password-file", "", "file whose first line is the user's password; - for standard input")
	command.Flags().BoolVar(&wait, "wait", false, "wait until it is done, and fail if it fails")
	for _, required := range []string{"flavor", "size"} {
		if err := command.MarkFlagRequired(required); err != nil {
			panic(err) // The flag stands three lines above.
		}
	}
	as.flag(command)
	return command
}

// instance makes the request of the flags, and answers with the password if one was made up.
func (f createFlags) instance(
	command *cobra.Command, service *client.Client, name string,
) (wanted client.NewInstance, generated string, err error) {
	flavor, err := service.FindFlavor(command.Context(), f.flavor)
	if err != nil {
		return client.NewInstance{}, "", err
	}
	wanted = client.NewInstance{Name: name, FlavorRef: flavor, Volume: &client.NewVolume{Size: f.size}}
	if f.datastore != "" || f.version != "" {
		wanted.Datastore = &client.NewDatastore{Type: f.datastore, Version: f.version}
	}
	for _, database := range f.databases {
		wanted.Databases = append(wanted.Databases, client.NewDatabase{Name: database})
	}
	if f.user == "" {
		if f.passwordFile != "" {
			return client.NewInstance{}, "", errors.New("--password-file needs --user")
		}
		return wanted, "", nil
	}
	var password string
	if f.passwordFile != "" {
		password, err = readPassword(f.passwordFile, command.InOrStdin())
	} else {
		generated = rand.Text()
		password = generated
	}
	wanted.Users = []client.NewUser{{Name: f.user, Password: password, Databases: wanted.Databases}}
	return wanted, generated, err
}

func readPassword(path string, stdin io.Reader) (string, error) {
	from := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("read the password: the first line of %s is empty", path)
	}
	return line, nil
}

func (f createFlags) show(command *cobra.Command, made client.Instance, taskID string) error {
	if err := printFields(command.OutOrStdout(), append(instanceFields(made), [2]string{"task", taskID})); err != nil {
		return err
	}
	database := ""
	if len(f.databases) > 0 {
		database = f.databases[0]
	}
	if line := connectLine(made, f.user, database); line != "" {
		command.Println()
		command.Println(line)
	}
	return nil
}
