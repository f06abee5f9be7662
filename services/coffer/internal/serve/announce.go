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
	clouds := filepath.Join(config.Serve.DataDir, CloudsFile)
	// Whoever does not read this line is served all the same.
	_, _ = fmt.Fprintf(out, `Coffer is ready: %s/v1.0 (REST), %s (gRPC). Ctrl-C stops it and its databases.

  export OS_CLIENT_CONFIG_FILE=%s OS_CLOUD=%s
  %s instance create first --flavor db.tiny --size 1 --database shop --user keeper --wait
  openstack database instance list

`, config.Serve.PublicURL, config.Serve.GRPCListen, clouds, MemberCloud, program)
}
