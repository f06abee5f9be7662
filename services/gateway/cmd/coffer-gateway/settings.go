package main

import (
	"errors"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

// settings are the sections of the configuration file that concern this program.
type settings struct {
	Log     observe.LogConfig   `koanf:"log"`
	Trace   observe.TraceConfig `koanf:"trace"`
	Gateway gateway.Config      `koanf:"gateway"`
}

func defaults() settings {
	return settings{Log: observe.DefaultLogConfig(), Gateway: gateway.DefaultConfig()}
}

// Validate joins the faults of the sections, each with its section's name in front.
func (s settings) Validate() error {
	return errors.Join(config.Section("log", s.Log.Validate()), config.Section("gateway", s.Gateway.Validate()))
}
