package config

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
)

// Sources say where settings come from besides the target's defaults.
type Sources struct {
	// File is the path of a YAML file; empty for none.
	File string
	// Partial passes over sections of the file that the target does not have: those of other programs.
	Partial bool
	// Environ are assignments as of os.Environ.
	Environ []string
	// Flags are the flags that were set, by dotted key.
	Flags map[string]any
}

// prefix begins every variable's name.
const prefix = "COFFER"

// Load fills the target, a pointer to a struct that holds the defaults, and validates it. What is wrong comes back as
// Faults, all at once.
func Load(target any, sources Sources) error {
	known := schemaOf(reflect.TypeOf(target))
	source, err := readFile(sources.File, known, sources.Partial)
	if err != nil {
		return err
	}
	if len(source.faults) > 0 {
		return source.faults.orNil()
	}
	merged := koanf.New(".")
	for _, layer := range []map[string]any{
		source.values, fromEnvironment(sources.Environ, prefix, known), sources.Flags,
	} {
		for key, value := range layer {
			if err := merged.Set(key, value); err != nil {
				return fmt.Errorf("set %s: %w", key, err)
			}
		}
	}
	if faults := decode(merged, target, source); len(faults) > 0 {
		return faults.orNil()
	}
	return validate(target, source).orNil()
}

func decode(merged *koanf.Koanf, target any, source *file) Faults {
	err := merged.UnmarshalWithConf("", target, koanf.UnmarshalConf{
		Tag: tag,
		DecoderConfig: &mapstructure.DecoderConfig{
			Result: target,
			DecodeHook: mapstructure.ComposeDecodeHookFunc(
				mapstructure.StringToTimeDurationHookFunc(), mapstructure.TextUnmarshallerHookFunc(),
			),
			// A list that is given replaces the default one.
			ZeroFields: true,
		},
	})
	var faults Faults
	for _, fault := range flatten(err) {
		var at *mapstructure.DecodeError
		if errors.As(fault, &at) {
			faults = append(faults, source.fault(at.Name(), at.Unwrap().Error()))
			continue
		}
		faults = append(faults, Fault{Sentence: fault.Error()})
	}
	return faults
}
