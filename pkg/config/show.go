package config

import (
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/pkg/observe"
)

// Show writes settings as the YAML that would load them, with secrets hidden.
func Show(settings any) ([]byte, error) {
	value := reflect.ValueOf(settings)
	for value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	text, err := yaml.Marshal(nodeOf(value))
	if err != nil {
		return nil, fmt.Errorf("write the settings: %w", err)
	}
	return text, nil
}

func nodeOf(value reflect.Value) *yaml.Node {
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if duration, ok := value.Interface().(time.Duration); ok {
		return scalar(duration.String())
	}
	switch schema := schemaOf(value.Type()); {
	case schema.isSection():
		return sectionNode(value)
	case schema.item != nil:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range value.Len() {
			list.Content = append(list.Content, nodeOf(value.Index(i)))
		}
		if value.Len() == 0 {
			list.Style = yaml.FlowStyle
		}
		return list
	default:
		return scalar(value.Interface())
	}
}

func sectionNode(value reflect.Value) *yaml.Node {
	section := &yaml.Node{Kind: yaml.MappingNode}
	for i := range value.NumField() {
		key, isPart := keyOf(value.Type().Field(i))
		if isPart {
			section.Content = append(section.Content, sectionNode(value.Field(i)).Content...)
		}
		if key == "" {
			continue
		}
		below := nodeOf(value.Field(i))
		if observe.IsSecret(key) && value.Field(i).Kind() == reflect.String && below.Value != "" {
			below = scalar("[hidden]")
		}
		section.Content = append(section.Content, scalar(key), below)
	}
	return section
}

func scalar(value any) *yaml.Node {
	node := &yaml.Node{}
	if err := node.Encode(value); err != nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprint(value)}
	}
	return node
}
