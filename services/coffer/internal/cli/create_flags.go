package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// createFlags are what a create call can be told.
type createFlags struct {
	flavor, datastore, version, zone, locality string
	size                                       int
	databases                                  []string
	user, passwordFile                         string
	nic                                        client.NewNIC
	cidrs                                      []string
	public                                     bool
	source                                     string
	replicas                                   int
}

const flagReplicaOf = "replica-of"

// sourceFlags are those that a replica cannot be given, because it takes after its source.
var sourceFlags = []string{
	"flavor", "size", "datastore", "datastore-version", "locality", "database", "user", "password-file", "nic-ip",
}

func (f *createFlags) define(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.flavor, "flavor", "", "size of the server: a flavor's name or id")
	flags.IntVar(&f.size, "size", 0, "size of the volume in GiB")
	flags.StringVar(&f.datastore, "datastore", "", "engine, such as mariadb (default: the service's)")
	flags.StringVar(&f.version, "datastore-version", "", "version of the engine (default: the service's)")
	flags.StringArrayVar(&f.databases, "database", nil, "database to make; may be repeated")
	flags.StringVar(&f.user, "user", "", "user to make, owner of these databases; a password is made up and shown once")
	flags.StringVar(&f.passwordFile, "password-file", "", "file whose first line is the user's password; - for standard input")
	flags.StringVar(&f.source, flagReplicaOf, "", "make a replica of this instance, instead of all of the above")
	flags.IntVar(&f.replicas, "replica-count", 0, "how many replicas to make, named NAME-1, NAME-2 … (default: 1, named NAME)")
	flags.StringVar(&f.zone, "availability-zone", "", "where the server is to be")
	flags.StringVar(&f.locality, "locality", "", "affinity or anti-affinity: whether replicas are to be beside it")
	flags.StringVar(&f.nic.NetworkID, "nic-net", "", "id of the network")
	flags.StringVar(&f.nic.SubnetID, "nic-subnet", "", "id of the network's subnet")
	flags.StringVar(&f.nic.IPAddress, "nic-ip", "", "address in the network")
	flags.BoolVar(&f.public, flagPublic, false, "give it a public address")
	flags.StringArrayVar(&f.cidrs, flagCIDR, nil, "network that may connect, such as 192.0.2.0/24; may be repeated")
}

// check wants what a new instance must have, and refuses what a replica cannot have.
func (f *createFlags) check(command *cobra.Command) error {
	if f.source == "" {
		var missing []string
		for _, name := range []string{"flavor", "size"} {
			if !command.Flags().Changed(name) {
				missing = append(missing, `"`+name+`"`)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("required flag(s) %s not set", strings.Join(missing, ", "))
		}
		return nil
	}
	for _, name := range sourceFlags {
		if command.Flags().Changed(name) {
			return fmt.Errorf("--%s cannot be given with --%s: a replica takes after its source", name, flagReplicaOf)
		}
	}
	return nil
}

// instance makes the request of the flags, and answers with the password if one was made up.
func (f *createFlags) instance(
	command *cobra.Command, service *client.Client, name string,
) (wanted client.NewInstance, generated string, err error) {
	if wanted, err = f.basis(command, service); err != nil {
		return client.NewInstance{}, "", err
	}
	wanted.Name, wanted.AvailabilityZone, wanted.ReplicaCount = name, f.zone, f.replicas
	if f.nic != (client.NewNIC{}) {
		wanted.NICs = []client.NewNIC{f.nic}
	}
	if f.public || len(f.cidrs) > 0 {
		wanted.Access = &client.Access{IsPublic: &f.public, AllowedCIDRs: f.cidrs}
	}
	generated, err = f.contents(command, &wanted)
	return wanted, generated, err
}

// basis is what the instance is made of: a flavor and a volume, or a source.
func (f *createFlags) basis(command *cobra.Command, service *client.Client) (client.NewInstance, error) {
	if f.source != "" {
		source, err := service.FindInstance(command.Context(), f.source)
		return client.NewInstance{ReplicaOf: source.ID}, err
	}
	flavor, err := service.FindFlavor(command.Context(), f.flavor)
	if err != nil {
		return client.NewInstance{}, err
	}
	wanted := client.NewInstance{FlavorRef: flavor, Volume: &client.NewVolume{Size: f.size}, Locality: f.locality}
	if f.datastore != "" || f.version != "" {
		wanted.Datastore = &client.NewDatastore{Type: f.datastore, Version: f.version}
	}
	return wanted, nil
}

// contents are the databases and the user, whose password is answered if it was made up.
func (f *createFlags) contents(command *cobra.Command, wanted *client.NewInstance) (generated string, err error) {
	for _, database := range f.databases {
		wanted.Databases = append(wanted.Databases, client.NewDatabase{Name: database})
	}
	if f.user == "" {
		if f.passwordFile != "" {
			return "", errors.New("--password-file needs --user")
		}
		return "", nil
	}
	var password string
	if f.passwordFile != "" {
		password, err = readPassword(f.passwordFile, command.InOrStdin())
	} else {
		generated = rand.Text()
		password = generated
	}
	wanted.Users = []client.NewUser{{Name: f.user, Password: password, Databases: wanted.Databases}}
	return generated, err
}
