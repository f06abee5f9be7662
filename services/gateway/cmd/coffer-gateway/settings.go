package main

import (
	"errors"
	"fmt"

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
	return errors.Join(prefixed("log", s.Log.Validate()), prefixed("gateway", s.Gateway.Validate()))
}

func prefixed(section string, err error) error {
	joined, several := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !several:
		return fmt.Errorf("%s.%w", section, err)
	}
	var faults []error
	for _, fault := range joined.Unwrap() {
		faults = append(faults, fmt.Errorf("%s.%w", section, fault))
	}
	return errors.Join(faults...)
}
