// Command coffer-gateway is the REST door as a program of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/version"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "coffer-gateway:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	flags := flag.NewFlagSet("coffer-gateway", flag.ContinueOnError)
	file := flags.String("config", "", "configuration `file`, YAML; COFFER_* variables count as well")
	listen := flags.String("listen", "", "`address` of the REST API: gateway.listen.rest")
	showVersion := flags.Bool("version", false, "print the version and end")
	if err := flags.Parse(args); err != nil {
		return err //nolint:wrapcheck // The flag package says it all.
	}
	if *showVersion {
		fmt.Println(version.Version)
		return nil
	}
	set := map[string]any{}
	if *listen != "" {
		set["gateway.listen.rest"] = *listen
	}
	loaded := defaults()
	if err := config.Load(&loaded, config.Sources{File: *file, Partial: true, Environ: os.Environ(), Flags: set}); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	logger, err := observe.NewLogger(os.Stderr, loaded.Log)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	endTracing, err := observe.StartTracing(ctx, loaded.Trace, "coffer-gateway")
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	defer func() { err = errors.Join(err, endTracing(context.WithoutCancel(ctx))) }()
	return gateway.Run(ctx, loaded.Gateway, logger) //nolint:wrapcheck // It says what it did itself.
}
