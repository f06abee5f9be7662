// Command coffer runs a control plane on one machine, and is the command line tool of its users.
package main

import (
	"context"
	"os"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
