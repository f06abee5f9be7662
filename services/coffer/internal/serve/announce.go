package serve

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

// announce writes that everything answers, where, and what to type next.
func announce(out io.Writer, config Config) {
	program, err := os.Executable()
	if err != nil {
		program = "coffer"
	}
	ending, flavor := "Ctrl-C stops it and its databases.", "db.tiny"
	if config.Taskmanager.Provider == taskmanager.ProviderOpenStack {
		ending, flavor = "Ctrl-C stops it; its databases serve on.", "FLAVOR"
	}
	// Whoever does not read these lines is served all the same.
	_, _ = fmt.Fprintf(out, "Coffer is ready: %s/v1.0 (REST), %s (gRPC). %s\n\n",
		config.Serve.PublicURL, config.Serve.GRPCListen, ending)
	if !config.hasUsers() {
		_, _ = fmt.Fprintf(out, `Its users are those of Keystone at %s. Once, as its admin:

  %s --os-cloud ADMIN openstack register --url '%s/v1.0/%%(project_id)s'

`, config.Gateway.IdentityURL, program, config.Serve.PublicURL)
		return
	}
	_, _ = fmt.Fprintf(out, `  export OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=%s
  %s instance create first --flavor %s --size 1 --database shop --user keeper --wait
  openstack database instance list

`, filepath.Join(config.Serve.DataDir, CloudsFile), MemberCloud, program, flavor)
}
