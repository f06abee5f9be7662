package dialect

import (
	"bytes"
	"encoding/json"
	"io"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// decode fills a message from the body, or says everything that is wrong with the body.
func (p *payload) decode(s *shape, message protoreflect.Message) *fault {
	value, refused := parse(p.data)
	if refused != nil {
		return refused
	}
	var at *place
	if p.root != "" {
		at = at.member(p.root)
	}
	c := &complaints{}
	if object, ok := value.(map[string]any); ok {
		s.fill(message, object, at, c)
	} else {
		c.add(at, "%s is not of type 'object'", show(value))
	}
	return c.fault()
}

// parse reads one JSON value and nothing after it. No body at all is an empty object, in which what is required is
// then missed.
func parse(data []byte) (any, *fault) {
	if len(bytes.TrimSpace(data)) == 0 {
		return map[string]any{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, malformed()
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, malformed()
	}
	if deeper(value, server.MaxBodyDepth) {
		return nil, malformed()
	}
	return value, nil
}

// deeper says whether a value nests more than so many levels.
func deeper(value any, levels int) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			if levels == 0 || deeper(inner, levels-1) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if levels == 0 || deeper(inner, levels-1) {
				return true
			}
		}
	}
	return false
}

func (s *shape) fill(message protoreflect.Message, object map[string]any, at *place, c *complaints) {
	known := 0
	for i := range s.members {
		m := &s.members[i]
		value, present := object[m.name]
		if present {
			known++
		}
		switch {
		case value != nil || present && m.keepsNull:
			m.set(message, value, at.member(m.name), c)
		case m.required:
			c.add(at, "'%s' is a required property", m.name)
		}
	}
	if s.closed && known < len(object) {
		s.refuseOthers(object, at, c)
	}
}

func (s *shape) refuseOthers(object map[string]any, at *place, c *complaints) {
	for name := range object {
		if !s.declares(name) {
			c.add(at, "Additional properties are not allowed (%s was unexpected)", nameOf(name))
		}
	}
}

func (s *shape) declares(name string) bool {
	for _, m := range s.members {
		if m.name == name {
			return true
		}
	}
	return false
}

func (m *member) set(message protoreflect.Message, value any, at *place, c *complaints) {
	if !m.field.IsList() {
		if set, ok := m.read(m, value, message.NewField(m.field), at, c); ok {
			message.Set(m.field, set)
		}
		return
	}
	elements, ok := value.([]any)
	if !ok {
		m.complain(value, "array", at, c)
		return
	}
	list := message.Mutable(m.field).List()
	for i, element := range elements {
		if read, ok := m.read(m, element, list.NewElement(), at.element(i), c); ok {
			list.Append(read)
		}
	}
}
