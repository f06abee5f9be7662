package dialect

import (
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// reader turns a JSON value into a member's kind of value, or complains. Fresh is an empty one to fill.
type reader func(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool)

func readText(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	text, ok := value.(string)
	if !ok {
		m.complain(value, "string", at, c)
		return fresh, false
	}
	if strings.Contains(text, "\x00") {
		c.add(at, "must not contain the character NUL")
		return fresh, false
	}
	return protoreflect.ValueOfString(text), true
}

func readFlag(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	flag, ok := value.(bool)
	if !ok {
		m.complain(value, "boolean", at, c)
		return fresh, false
	}
	return protoreflect.ValueOfBool(flag), true
}

func readFloat(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	number, ok := value.(json.Number)
	float, err := number.Float64()
	if !ok || err != nil {
		m.complain(value, "number", at, c)
		return fresh, false
	}
	return protoreflect.ValueOfFloat64(float), true
}

func readInt32(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	read, ok := readInt64(m, value, fresh, at, c)
	if !ok {
		return fresh, false
	}
	if int64(int32(read.Int())) != read.Int() { //nolint:gosec // The comparison is the check for overflow.
		c.add(at, "%s is out of range", show(value))
		return fresh, false
	}
	return protoreflect.ValueOfInt32(int32(read.Int())), true //nolint:gosec // Checked above.
}

func readInt64(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	number, ok := value.(json.Number)
	integer, err := number.Int64()
	if !ok || err != nil {
		m.complain(value, "integer", at, c)
		return fresh, false
	}
	return protoreflect.ValueOfInt64(integer), true
}

func readObject(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	object, ok := value.(map[string]any)
	if !ok {
		m.complain(value, "object", at, c)
		return fresh, false
	}
	m.inner.fill(fresh.Message(), object, at, c)
	return fresh, true
}

// readValue holds JSON as it came, for the service to judge.
func readValue(_ *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	held, err := structpb.NewValue(value)
	if err != nil {
		c.add(at, "%s is not a value that can be kept", show(value))
		return fresh, false
	}
	return protoreflect.ValueOfMessage(held.ProtoReflect()), true
}

// readStruct is readValue for what has to be an object.
func readStruct(m *member, value any, fresh protoreflect.Value, at *place, c *complaints) (protoreflect.Value, bool) {
	if _, ok := value.(map[string]any); !ok {
		m.complain(value, "object", at, c)
		return fresh, false
	}
	held, ok := readValue(m, value, fresh, at, c)
	if !ok {
		return fresh, false
	}
	return held.Message().Get(held.Message().Descriptor().Fields().ByName("struct_value")), true
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
