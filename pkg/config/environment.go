package config

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fromEnvironment picks the variables that name a setting. A list is written as in YAML ("[a, b]") or with commas.
func fromEnvironment(environ []string, prefix string, known *schema) map[string]any {
	names := map[string]string{}
	settings := known.settings("")
	for key := range settings {
		names[Variable(prefix, key)] = key
	}
	values := map[string]any{}
	for _, assignment := range environ {
		name, text, _ := strings.Cut(assignment, "=")
		if key, ok := names[name]; ok {
			values[key] = fromText(text, settings[key])
		}
	}
	return values
}

// Variable is the name of the variable that sets a key.
func Variable(prefix, key string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func fromText(text string, setting *schema) any {
	if setting.kind == reflect.String {
		return text
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return text
	}
	if list, ok := value.(string); ok && setting.item != nil {
		return strings.Split(list, ",")
	}
	return value
}
