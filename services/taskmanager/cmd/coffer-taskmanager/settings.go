package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

// settings are the sections of the configuration file that a taskmanager reads.
type settings struct {
	Taskmanager taskmanager.Config  `koanf:"taskmanager"`
	NATS        bus.Config          `koanf:"nats"`
	Log         observe.LogConfig   `koanf:"log"`
	Trace       observe.TraceConfig `koanf:"trace"`
}

// Validate joins all that is wrong.
func (s settings) Validate() error {
	return errors.Join(
		config.Section("taskmanager", s.Taskmanager.Validate()),
		config.Section("log", s.Log.Validate()),
	)
}

// load reads the file and the environment over the defaults. A taskmanager is named after its host unless told
// otherwise.
func load(file string) (settings, error) {
	host, err := os.Hostname()
	if err != nil {
		return settings{}, fmt.Errorf("find the host's name: %w", err)
	}
	s := settings{Taskmanager: taskmanager.DefaultConfig(), NATS: bus.DefaultConfig(), Log: observe.DefaultLogConfig()}
	s.Taskmanager.Name = host
	if err := config.Load(&s, config.Sources{File: file, Partial: true, Environ: os.Environ()}); err != nil {
		return settings{}, err
	}
	return s, nil
}
