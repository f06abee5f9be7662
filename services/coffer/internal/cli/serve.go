package cli

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/serve"
)

// serveFlags are the flags of `coffer serve`, by the key that each sets.
var serveFlags = map[string]string{
	"data-dir":     "serve.data_dir",
	"listen":       "serve.listen",
	"grpc-listen":  "serve.grpc_listen",
	"public-url":   "serve.public_url",
	"keep-servers": "serve.keep_servers",
	"insecure":     "serve.insecure",
	"log-level":    "log.level",
}

func newServe(_ *session) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "serve", Short: "Run a whole control plane on this machine", GroupID: groupRun, Args: cobra.NoArgs,
		Long: `Run a whole control plane on this machine: REST and gRPC API, queue, state, and databases as local processes.

Ctrl-C stops it and its databases in order, like a machine that shuts down; the next start brings all of them back. A
second Ctrl-C, kill -9 and --keep-servers leave the databases serving.`,
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := loadSettings(command, file)
			if err != nil {
				return err
			}
			logger, err := observe.NewLogger(command.ErrOrStderr(), settings.Log)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			go func() {
				<-ctx.Done()
				// From here on a second Ctrl-C ends the process on the spot.
				stop()
			}()
			return serve.Run(ctx, settings, command.OutOrStdout(), logger)
		},
	}
	defaults := serve.DefaultConfig()
	flags := command.Flags()
	flags.StringVar(&file, "config", "", "configuration file, YAML")
	flags.String("listen", defaults.Serve.Listen, "address of the REST API")
	flags.String("grpc-listen", defaults.Serve.GRPCListen, "address of the public gRPC services; empty for none")
	flags.String("public-url", "", "where clients reach the REST API (default http://<listen>)")
	flags.Bool("keep-servers", false, "leave the databases serving when the control plane stops")
	flags.Bool("insecure", false, "allow listeners without TLS on addresses that are not loopback")
	flags.String("log-level", defaults.Log.Level, "debug, info, warn or error")
	return command
}

// loadSettings reads defaults, file, environment and flags, each over the one before.
func loadSettings(command *cobra.Command, file string) (serve.Config, error) {
	set := map[string]any{}
	for name, key := range serveFlags {
		if flag := command.Flags().Lookup(name); flag != nil && flag.Changed {
			set[key] = flag.Value.String()
			if flag.Value.Type() == "bool" {
				set[key] = flag.Value.String() == "true"
			}
		}
	}
	settings := serve.DefaultConfig()
	if err := config.Load(&settings, config.Sources{File: file, Environ: os.Environ(), Flags: set}); err != nil {
		return serve.Config{}, fmt.Errorf("configuration: %w", err)
	}
	return settings, nil
}
