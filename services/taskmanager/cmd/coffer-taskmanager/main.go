// Command coffer-taskmanager is a taskmanager as a program of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/version"
	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

const program = "coffer-taskmanager"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the program at once; what it leaves goes on with the next claim.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, program+":", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet(program, flag.ContinueOnError)
	file := flags.String("config", os.Getenv("COFFER_CONFIG"), "configuration `file`, YAML; COFFER_* variables count as well")
	showVersion := flags.Bool("version", false, "print the version and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *showVersion {
		_, err := fmt.Println(version.Version)
		return err
	}
	s, err := load(*file)
	if err != nil {
		return err
	}
	logger, err := observe.NewLogger(os.Stderr, s.Log)
	if err != nil {
		return err
	}
	stopTracing, err := observe.StartTracing(ctx, s.Trace, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopTracing(context.WithoutCancel(ctx))) }()
	return taskmanager.RunAlone(ctx, s.Taskmanager, s.NATS, logger)
}
