package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/serve"
)

func newOpenRC(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "openrc", Short: "Print shell lines that set OS_* for the control plane on this machine", GroupID: groupRun,
		Args:    cobra.NoArgs,
		Example: "  source <(coffer openrc)",
		RunE: func(command *cobra.Command, _ []string) error {
			text, err := os.ReadFile(filepath.Join(s.dataDir, serve.CloudsFile))
			if err != nil {
				return fmt.Errorf("read what `coffer serve` wrote: %w", err)
			}
			name := s.cloud
			if name == "" {
				name = serve.MemberCloud
			}
			cloud, err := serve.ReadCloud(text, name)
			if err != nil {
				return err
			}
			for _, variable := range [][2]string{
				{"OS_AUTH_URL", cloud.Auth.AuthURL},
				{"OS_USERNAME", cloud.Auth.Username},
				{"OS_PASSWORD", cloud.Auth.Password},
				{"OS_PROJECT_NAME", cloud.Auth.ProjectName},
				{"OS_USER_DOMAIN_NAME", cloud.Auth.UserDomainName},
				{"OS_PROJECT_DOMAIN_NAME", cloud.Auth.ProjectDomainName},
				{"OS_REGION_NAME", cloud.RegionName},
				{"OS_IDENTITY_API_VERSION", cloud.IdentityAPIVersion},
			} {
				command.Printf("export %s=%s\n", variable[0], quote(variable[1]))
			}
			return nil
		},
	}
}

// quote makes one word of the shell's.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
