// Command coffer-api is the api as a program of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/version"
)

const usage = `usage:
  coffer-api serve --config FILE         answer until SIGINT or SIGTERM
  coffer-api migrate up --config FILE    bring the database up to date
  coffer-api version
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coffer-api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) > 0 && args[0] == "serve":
		return serve(ctx, args[1:])
	case len(args) > 1 && args[0] == "migrate" && args[1] == "up":
		return migrate(ctx, args[2:])
	case len(args) == 1 && args[0] == "version":
		_, err := fmt.Println(version.Version)
		return err
	}
	fmt.Fprint(os.Stderr, usage)
	return flag.ErrHelp
}
