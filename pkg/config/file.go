package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is a parsed file that remembers where each key stands.
type file struct {
	path   string
	values map[string]any
	lines  map[string]int
	faults Faults
}

// readFile parses a file and notes what the schema does not know. With partial set, sections that other programs
// own are passed over.
func readFile(path string, known *schema, partial bool) (*file, error) {
	f := &file{path: path, values: map[string]any{}, lines: map[string]int{}}
	if path == "" {
		return f, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return f, nil
	}
	root := document.Content[0]
	if partial {
		dropUnknown(root, known)
	}
	f.check(root, known, "")
	if len(f.faults) > 0 {
		return f, nil
	}
	if err := root.Decode(&f.values); err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	return f, nil
}

// check notes the line of every key, and a fault for each that is unknown, repeated or of the wrong shape.
func (f *file) check(node *yaml.Node, known *schema, key string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Tag == "!!null" {
		return
	}
	switch {
	case known.isSection():
		f.checkSection(node, known, key)
	case known.item != nil:
		if node.Kind != yaml.SequenceNode {
			f.note(node, key, "must be a list")
			return
		}
		for i, item := range node.Content {
			at := fmt.Sprintf("%s[%d]", key, i)
			f.lines[at] = item.Line
			f.check(item, known.item, at)
		}
	}
}

func (f *file) checkSection(node *yaml.Node, known *schema, key string) {
	if node.Kind != yaml.MappingNode {
		f.note(node, key, "must hold keys: "+strings.Join(known.keys(), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		at := join(key, name.Value)
		f.lines[at] = name.Line
		below := known.field(name.Value)
		switch {
		case seen[name.Value]:
			f.note(name, at, "stands here a second time")
		case below == nil:
			f.note(name, at, "is no setting; known here: "+strings.Join(known.keys(), ", "))
		default:
			f.check(value, below, at)
		}
		seen[name.Value] = true
	}
}

func (f *file) note(node *yaml.Node, key, sentence string) {
	f.faults = append(f.faults, Fault{File: f.path, Line: node.Line, Key: key, Sentence: sentence})
}

// fault is one whose line is that of the key, or of the nearest key above it that stands in the file.
func (f *file) fault(key, sentence string) Fault {
	fault := Fault{Key: key, Sentence: sentence}
	for at := key; at != ""; at = parent(at) {
		if line := f.lines[at]; line > 0 {
			fault.File, fault.Line = f.path, line
			break
		}
	}
	return fault
}

func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

func dropUnknown(root *yaml.Node, known *schema) {
	if root.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if known.field(root.Content[i].Value) != nil {
			kept = append(kept, root.Content[i], root.Content[i+1])
		}
	}
	root.Content = kept
}
