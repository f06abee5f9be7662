package serve

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// announce writes that everything answers, where, and what to type next.
func announce(out io.Writer, config Config) {
	program, err := os.Executable()
	if err != nil {
		program = "coffer"
	}
	// Whoever does not read these lines is served all the same.
	_, _ = fmt.Fprintf(out, "Coffer is ready: %s/v1.0 (REST), %s (gRPC). Ctrl-C stops it and its databases.\n\n",
		config.Serve.PublicURL, config.Serve.GRPCListen)
	if !config.hasUsers() {
		_, _ = fmt.Fprintf(out, `Its users are those of Keystone at %s. Once, as its admin:

  %s --os-cloud ADMIN openstack register --url '%s/v1.0/%%(project_id)s'

`, config.Gateway.IdentityURL, program, config.Serve.PublicURL)
		return
	}
	_, _ = fmt.Fprintf(out, `  export OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=%s
  %s instance create first --flavor db.tiny --size 1 --database shop --user keeper --wait
  openstack database instance list

`, filepath.Join(config.Serve.DataDir, CloudsFile), MemberCloud, program)
}
