// Command coffer-guestagent is the agent beside one database.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/version"
	"github.com/coffer-dbaas/coffer/services/guestagent"
)

const usage = `usage:
  coffer-guestagent serve --dir FOLDER
  coffer-guestagent boot --dir FOLDER
  coffer-guestagent make-template --manager ENGINE --version VERSION --dir FOLDER [--engine-root FOLDER | --engine-prefix FOLDER]
  coffer-guestagent enter-root --root FOLDER [--bind FOLDER]... [--chdir FOLDER] [--uid N] [--gid N] -- PROGRAM [ARGUMENT]...
  coffer-guestagent version
`

func main() {
	// The machine's memory is the database's: collect early rather than grow.
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(12 << 20)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "coffer-guestagent:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// SIGINT and SIGTERM end the agent alone.
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return serve(ctx, command, args, guestagent.Run)
	case "boot":
		return serve(ctx, command, args, guestagent.Boot)
	case "make-template":
		return makeTemplate(ctx, args)
	case guestagent.EnterRootVerb:
		return guestagent.EnterRoot(args)
	case "version":
		fmt.Println(version.Version)
		return nil
	case "help", "-h", "--help":
		fmt.Print(usage)
		return nil
	}
	return fmt.Errorf("unknown command %q; see coffer-guestagent help", command)
}

func serve(ctx context.Context, name string, args []string, run func(context.Context, guestagent.Config) error) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	dir := flags.String("dir", "", "the server's folder, absolute")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// SIGPWR says that the machine goes down, and the database with it.
	powerOff := make(chan struct{})
	power := make(chan os.Signal, 1)
	signal.Notify(power, syscall.SIGPWR)
	go func() {
		<-power
		close(powerOff)
	}()
	if err := os.Chdir(*dir); err != nil {
		return err
	}
	return run(ctx, guestagent.Config{
		Dir: *dir, Version: version.Version, PowerOff: powerOff, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

func makeTemplate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("make-template", flag.ContinueOnError)
	manager := flags.String("manager", "mariadb", "the engine: mariadb or postgresql")
	exact := flags.String("version", "", "the engine's exact version")
	dir := flags.String("dir", "", "the folder of templates, absolute")
	root := flags.String("engine-root", "", "the root folder in which the engine's programs run, absolute")
	prefix := flags.String("engine-prefix", "", "what to put before the paths of the machine's own programs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return guestagent.MakeTemplate(ctx, *manager, *exact, *dir, *root, *prefix)
}
