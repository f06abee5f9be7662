package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// yearOfService is how long a program's certificate is good unless it is said otherwise.
const yearOfService = 365 * 24 * time.Hour

func newPKI(s *session) *cobra.Command {
	command := newGroup("pki", "Issue certificates for programs that run alone", groupRun)
	command.AddCommand(newPKIIssue(s))
	return command
}

func newPKIIssue(s *session) *cobra.Command {
	var (
		name, dir, ca string
		lifetime      time.Duration
	)
	command := &cobra.Command{
		Use: "issue", Short: "Write ca.pem, cert.pem and key.pem of a program into a folder", Args: cobra.NoArgs,
		Example: "  coffer pki issue --ca /etc/coffer/ca --name taskmanager/tm1 --dir /etc/coffer/taskmanager",
		RunE: func(command *cobra.Command, _ []string) error {
			peer, err := programName(name)
			if err != nil {
				return err
			}
			authority, err := openAuthority(ca, s.dataDir)
			if err != nil {
				return err
			}
			certificate, key, err := authority.Issue(peer, lifetime)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("make the folder: %w", err)
			}
			for file, content := range map[string][]byte{"ca.pem": authority.PEM(), "cert.pem": certificate, "key.pem": key} {
				if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
					return fmt.Errorf("write %s: %w", file, err)
				}
			}
			command.Printf("%s: %s, good until %s\n", dir, peer, time.Now().Add(lifetime).UTC().Format(time.DateOnly))
			return nil
		},
	}
	command.Flags().StringVar(&name, "name", "", "the program: api/NAME, gateway/NAME or taskmanager/NAME")
	command.Flags().StringVar(&dir, "dir", "", "folder to write into")
	command.Flags().StringVar(&ca, "ca", "", "folder of the authority: the api's ca_dir; made when it is named and missing (default <data-dir>/ca)")
	command.Flags().DurationVar(&lifetime, "lifetime", yearOfService, "how long the certificate is good")
	for _, required := range []string{"name", "dir"} {
		if err := command.MarkFlagRequired(required); err != nil {
			panic(err) // The flags stand above.
		}
	}
	return command
}

// openAuthority makes an authority only where one was named, so that a forgotten flag cannot bring a second one into being.
func openAuthority(dir, dataDir string) (*pki.CA, error) {
	if dir == "" {
		dir = filepath.Join(dataDir, "ca")
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("no authority is in %s: name its folder with --ca, or a control plane's with --data-dir", dir)
		}
	}
	return pki.OpenCA(dir)
}

// programName refuses the names of guests, which come into being in other ways.
func programName(text string) (pki.Name, error) {
	kind, id, found := strings.Cut(text, "/")
	if !found || id == "" {
		return "", errors.New("--name must be api/NAME, gateway/NAME or taskmanager/NAME")
	}
	switch kind {
	case pki.KindAPI:
		return pki.APIName(id), nil
	case pki.KindGateway:
		return pki.GatewayName(id), nil
	case pki.KindTaskmanager:
		return pki.TaskmanagerName(id), nil
	default:
		return "", fmt.Errorf("--name must be api/NAME, gateway/NAME or taskmanager/NAME, is %q", text)
	}
}
