package config

import (
	"encoding"
	"reflect"
	"strings"
)

// tag names a field's key.
const tag = "koanf"

// textUnmarshaler marks a struct that is written as one word.
var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// schema is what may stand at a place of the file.
type schema struct {
	// fields are the keys of a section, in the order of the struct.
	fields []field
	// item is what each element of a list is.
	item *schema
	kind reflect.Kind
}

type field struct {
	key    string
	schema *schema
}

func schemaOf(t reflect.Type) *schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &schema{kind: t.Kind()}
	switch {
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textUnmarshaler):
		for i := range t.NumField() {
			f := t.Field(i)
			key, isPart := keyOf(f)
			switch {
			case isPart:
				s.fields = append(s.fields, schemaOf(f.Type).fields...)
			case key != "":
				s.fields = append(s.fields, field{key: key, schema: schemaOf(f.Type)})
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		s.item = schemaOf(t.Elem())
	}
	return s
}

// keyOf is the key of a struct's field, empty for what is no setting. isPart says that the field's own fields are settings
// of the struct itself (`koanf:",squash"`).
func keyOf(f reflect.StructField) (key string, isPart bool) {
	key, option, _ := strings.Cut(f.Tag.Get(tag), ",")
	if !f.IsExported() || key == "-" {
		return "", false
	}
	return key, key == "" && option == "squash"
}

func (s *schema) isSection() bool { return s.fields != nil }

func (s *schema) field(key string) *schema {
	for _, f := range s.fields {
		if f.key == key {
			return f.schema
		}
	}
	return nil
}

func (s *schema) keys() []string {
	keys := make([]string, 0, len(s.fields))
	for _, f := range s.fields {
		keys = append(keys, f.key)
	}
	return keys
}

// settings are the dotted keys of everything that is no section.
func (s *schema) settings(prefix string) map[string]*schema {
	all := map[string]*schema{}
	for _, f := range s.fields {
		key := join(prefix, f.key)
		if !f.schema.isSection() {
			all[key] = f.schema
			continue
		}
		for below, setting := range f.schema.settings(key) {
			all[below] = setting
		}
	}
	return all
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}
