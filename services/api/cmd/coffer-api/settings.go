package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/api"
)

// settings are the sections of the configuration file that an api reads.
type settings struct {
	API   api.Config          `koanf:"api"`
	NATS  bus.Config          `koanf:"nats"`
	Log   observe.LogConfig   `koanf:"log"`
	Trace observe.TraceConfig `koanf:"trace"`
}

// Validate joins all that is wrong.
func (s settings) Validate() error {
	return errors.Join(config.Section("api", s.API.Validate()), config.Section("log", s.Log.Validate()))
}

func load(args []string) (settings, error) {
	flags := flag.NewFlagSet("coffer-api", flag.ContinueOnError)
	file := flags.String("config", os.Getenv("COFFER_CONFIG"), "the configuration `file`")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return settings{}, fmt.Errorf("find the host's name: %w", err)
	}
	s := settings{API: api.DefaultConfig(), NATS: bus.DefaultConfig(), Log: observe.DefaultLogConfig()}
	s.API.Name = host
	err = config.Load(&s, config.Sources{File: *file, Partial: true, Environ: os.Environ()})
	return s, err
}
