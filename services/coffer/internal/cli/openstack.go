package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/client/registration"
)

func newOpenStack(s *session) *cobra.Command {
	command := newGroup("openstack", "Make the control plane known to an OpenStack cloud", groupRun)
	command.AddCommand(newRegister(s), newUnregister(s))
	return command
}

func newRegister(s *session) *cobra.Command {
	var (
		wanted       registration.Wanted
		passwordFile string
		clouds       string
	)
	command := &cobra.Command{
		Use: "register", Short: "Make service, endpoints, roles and the service user in Keystone; safe to repeat", Args: cobra.NoArgs,
		Long: `Make in Keystone what is missing there: the roles, the service user with its roles, the service and its endpoints.

The cloud is the admin's. The service user's login, for api.identity.keystone, goes into the file of --clouds; without
that it is printed once, if its password or application credential was made now.`,
		Example: `  coffer --os-cloud admin openstack register --url 'http://db.example.org:8779/v1.0/%(project_id)s' --clouds /etc/coffer/clouds.yaml`,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := checkEndpoint(wanted.URL); err != nil {
				return err
			}
			if passwordFile != "" {
				password, err := readPassword(passwordFile, command.InOrStdin())
				if err != nil {
					return err
				}
				wanted.User.Password = password
			}
			registry, err := s.registry(command)
			if err != nil {
				return err
			}
			// Before anything is made: what is told once must have a place.
			login, err := openLoginFile(clouds)
			if err != nil {
				return err
			}
			secret, err := registry.Register(command.Context(), wanted)
			return errors.Join(err, login.keep(command, secret))
		},
	}
	flags := command.Flags()
	flags.StringVar(&wanted.URL, "url", "", "where clients reach the REST API, as the catalog has it: http://host:8779/v1.0/%(project_id)s")
	flags.BoolVar(&wanted.Replace, "replace", false, "give endpoints that are there this URL")
	flags.StringVar(&passwordFile, "password-file", "", "file with the service user's password, - for standard input (default: a random one for a new user)")
	flags.StringVar(&wanted.User.ApplicationCredential, "application-credential", "", "have the service user make an application credential of this name, and log in with it")
	flags.StringVar(&clouds, "clouds", "", "where to write the service user's clouds.yaml; no file may be there")
	registrationFlags(command, &wanted)
	flags.StringVar(&wanted.User.Project, "project", "service", "project of the service user; made when missing")
	if err := command.MarkFlagRequired("url"); err != nil {
		panic(err) // The flag stands above.
	}
	return command
}

func newUnregister(s *session) *cobra.Command {
	var wanted registration.Wanted
	command := &cobra.Command{
		Use: "unregister", Short: "Take what register made out of Keystone, but for roles and project", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			registry, err := s.registry(command)
			if err != nil {
				return err
			}
			return registry.Unregister(command.Context(), wanted)
		},
	}
	registrationFlags(command, &wanted)
	return command
}

func registrationFlags(command *cobra.Command, wanted *registration.Wanted) {
	flags := command.Flags()
	flags.StringVar(&wanted.Service, "service-name", "trove", "name of the service, whose type is database")
	flags.StringVar(&wanted.Region, "region", "", "region of the endpoints (default: that of the cloud)")
	flags.StringVar(&wanted.User.Name, "user", "coffer", "name of the service user")
	flags.StringVar(&wanted.User.Domain, "domain", "default", "domain of the service user and its project, by id or name")
}

// registry is the Keystone of the named cloud. That of a control plane on this machine is none that could be told.
func (s *session) registry(command *cobra.Command) (*registration.Registry, error) {
	return registration.Open(command.Context(), client.Login{Cloud: s.cloud}, func(line registration.Line) {
		command.Printf("%-8s %s\n", line.Found, line.What)
	})
}

// projectPattern is how Keystone has the project filled in.
const projectPattern = "%(project_id)s"

func checkEndpoint(text string) error {
	u, err := url.Parse(strings.ReplaceAll(text, projectPattern, "p"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.HasSuffix(u.Path, "/v1.0/p") {
		return fmt.Errorf("--url must be a URL like http://host:8779/v1.0/%s, is %q", projectPattern, text)
	}
	return nil
}
