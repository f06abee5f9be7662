package dialect

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	wirev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/wire/v1"
)

// shape is what a message takes from a body, worked out once from its descriptor. Members are named by json_name
// alone. A member must be there unless its field is optional, a list, or unchecked; null counts as absent, except in
// a Value, which keeps the two apart. Members that the message does not declare are ignored, unless it is closed.
type shape struct {
	members []member
	closed  bool
}

type member struct {
	name     string
	field    protoreflect.FieldDescriptor
	required bool
	// secret values are never repeated in an error.
	secret bool
	// keepsNull says that null is a value of its own.
	keepsNull bool
	read      reader
	// inner is the shape of a message field.
	inner *shape
}

// shaper makes shapes, each message's once; shapes may point at themselves.
type shaper map[protoreflect.FullName]*shape

// shape works out a message without the fields that the path sets.
func (ss shaper) shape(message protoreflect.MessageDescriptor, byPath ...protoreflect.Name) (*shape, error) {
	if known, ok := ss[message.FullName()]; ok {
		return known, nil
	}
	made := &shape{}
	made.closed, _ = proto.GetExtension(message.Options(), wirev1.E_Closed).(bool)
	ss[message.FullName()] = made
	fields := message.Fields()
next:
	for i := range fields.Len() {
		for _, name := range byPath {
			if fields.Get(i).Name() == name {
				continue next
			}
		}
		m, err := ss.member(fields.Get(i))
		if err != nil {
			return nil, err
		}
		made.members = append(made.members, m)
	}
	return made, nil
}

func (ss shaper) member(field protoreflect.FieldDescriptor) (member, error) {
	if field.IsMap() {
		return member{}, fmt.Errorf("%s: a map cannot be read from Trove's wire; use google.protobuf.Struct", field.FullName())
	}
	unchecked, _ := proto.GetExtension(field.Options(), wirev1.E_Unchecked).(bool)
	options, _ := field.Options().(*descriptorpb.FieldOptions)
	made := member{
		name:     field.JSONName(),
		field:    field,
		required: !unchecked && !field.IsList() && !field.HasOptionalKeyword() && field.ContainingOneof() == nil,
		secret:   options.GetDebugRedact(),
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		made.read = readText
	case protoreflect.BoolKind:
		made.read = readFlag
	case protoreflect.DoubleKind:
		made.read = readFloat
	case protoreflect.Int32Kind:
		made.read = readInt32
	case protoreflect.Int64Kind:
		made.read = readInt64
	case protoreflect.MessageKind:
		err := ss.message(&made)
		return made, err
	case protoreflect.Sint32Kind, protoreflect.Sfixed32Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind,
		protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind,
		protoreflect.FloatKind, protoreflect.BytesKind, protoreflect.EnumKind, protoreflect.GroupKind:
		return member{}, fmt.Errorf("%s: a field of kind %s cannot be read from Trove's wire", field.FullName(), field.Kind())
	}
	return made, nil
}

// message says how a message field is read.
func (ss shaper) message(m *member) error {
	switch m.field.Message().FullName() {
	case "google.protobuf.Value":
		m.read, m.keepsNull = readValue, !m.field.IsList()
		return nil
	case "google.protobuf.Struct":
		m.read = readStruct
		return nil
	}
	var err error
	m.read = readObject
	m.inner, err = ss.shape(m.field.Message())
	return err
}
