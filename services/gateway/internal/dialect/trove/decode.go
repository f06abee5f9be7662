package trove

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

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
	for _, m := range s.members {
		value, present := object[m.name]
		if present {
			known++
		}
		keepsNull := m.inner == nil && m.field.Kind() == protoreflect.MessageKind && !m.field.IsList()
		switch {
		case value != nil || present && keepsNull:
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
		if set, ok := m.read(value, message.NewField(m.field), at, c); ok {
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
		if read, ok := m.read(element, list.NewElement(), at.element(i), c); ok {
			list.Append(read)
		}
	}
}

// read turns a JSON value into the field's kind of value; fresh is an empty one to fill.
func (m *member) read(value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	switch m.field.Kind() {
	case protoreflect.StringKind:
		text, ok := value.(string)
		if !ok {
			m.complain(value, "string", at, c)
		} else if ok = !strings.Contains(text, "\x00"); !ok {
			c.add(at, "must not contain the character NUL")
		}
		return protoreflect.ValueOfString(text), ok
	case protoreflect.BoolKind:
		flag, ok := value.(bool)
		if !ok {
			m.complain(value, "boolean", at, c)
		}
		return protoreflect.ValueOfBool(flag), ok
	case protoreflect.DoubleKind:
		number, ok := value.(json.Number)
		float, err := number.Float64()
		if !ok || err != nil {
			m.complain(value, "number", at, c)
		}
		return protoreflect.ValueOfFloat64(float), ok && err == nil
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return m.readInteger(value, at, c)
	}
	if m.inner != nil {
		object, ok := value.(map[string]any)
		if !ok {
			m.complain(value, "object", at, c)
			return fresh, false
		}
		m.inner.fill(fresh.Message(), object, at, c)
		return fresh, true
	}
	return m.keep(value, at, c)
}

func (m *member) readInteger(value any, at *place, c *complaints) (protoreflect.Value, bool) {
	number, ok := value.(json.Number)
	integer, err := number.Int64()
	if !ok || err != nil {
		m.complain(value, "integer", at, c)
		return protoreflect.Value{}, false
	}
	if m.field.Kind() == protoreflect.Int64Kind {
		return protoreflect.ValueOfInt64(integer), true
	}
	if int64(int32(integer)) != integer { //nolint:gosec // The comparison is the check for overflow.
		c.add(at, "%s is out of range", show(value))
		return protoreflect.Value{}, false
	}
	return protoreflect.ValueOfInt32(int32(integer)), true //nolint:gosec // Checked above.
}

// keep holds JSON as it came, for the service to judge.
func (m *member) keep(value any, at *place, c *complaints) (protoreflect.Value, bool) {
	held, err := structpb.NewValue(value)
	if err != nil {
		c.add(at, "%s is not a value that can be kept", show(value))
		return protoreflect.Value{}, false
	}
	if m.field.Message().FullName() == "google.protobuf.Value" {
		return protoreflect.ValueOfMessage(held.ProtoReflect()), true
	}
	if held.GetStructValue() == nil {
		m.complain(value, "object", at, c)
		return protoreflect.Value{}, false
	}
	return protoreflect.ValueOfMessage(held.GetStructValue().ProtoReflect()), true
}

func (m *member) complain(value any, wanted string, at *place, c *complaints) {
	shown := show(value)
	if _, isText := value.(string); isText && (wanted == "object" || wanted == "array") {
		// Text in a place of its own shape may be anything, a password too.
		shown = "text"
	}
	if m.secret {
		shown = "the value"
	}
	c.add(at, "%s is not of type '%s'", shown, wanted)
}
