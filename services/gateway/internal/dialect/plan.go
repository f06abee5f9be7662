package dialect

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	wirev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/wire/v1"
)

// plan is how a message becomes Trove's JSON, worked out once from its descriptor. Its rules: integers are bare
// numbers; doubles have two decimals at most; a list is [] unless its field says omit_empty; a field with presence is
// absent while it is unset, any other scalar is always there; a Value is written as it is, null included.
type plan struct {
	fields []fieldPlan
}

type fieldPlan struct {
	descriptor protoreflect.FieldDescriptor
	// key is `"name":`.
	key       string
	presence  bool
	list      bool
	omitEmpty bool
	write     writer
}

// writer appends one value. The message of a message field is in the value.
type writer func([]byte, protoreflect.Value) []byte

// planner makes plans, each message's once; plans may point at themselves.
type planner map[protoreflect.FullName]*plan

// plan works out a message, leaving out the fields that the dialect puts elsewhere.
func (ps planner) plan(message protoreflect.MessageDescriptor, without ...protoreflect.Name) (*plan, error) {
	if known, ok := ps[message.FullName()]; ok {
		return known, nil
	}
	made := &plan{}
	ps[message.FullName()] = made
	fields := message.Fields()
next:
	for i := range fields.Len() {
		field := fields.Get(i)
		for _, name := range without {
			if field.Name() == name {
				continue next
			}
		}
		write, err := ps.writer(field)
		if err != nil {
			return nil, err
		}
		omitEmpty, _ := proto.GetExtension(field.Options(), wirev1.E_OmitEmpty).(bool)
		made.fields = append(made.fields, fieldPlan{
			descriptor: field,
			key:        string(append(appendText(nil, field.JSONName()), ':')),
			presence:   field.HasPresence(),
			list:       field.IsList(),
			omitEmpty:  omitEmpty,
			write:      write,
		})
	}
	return made, nil
}

func (ps planner) writer(field protoreflect.FieldDescriptor) (writer, error) {
	if field.IsMap() {
		return nil, fmt.Errorf("%s: a map has no form on Trove's wire; use google.protobuf.Struct", field.FullName())
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		return func(b []byte, v protoreflect.Value) []byte { return appendText(b, v.String()) }, nil
	case protoreflect.BoolKind:
		return func(b []byte, v protoreflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }, nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return func(b []byte, v protoreflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }, nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return func(b []byte, v protoreflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }, nil
	case protoreflect.DoubleKind:
		return func(b []byte, v protoreflect.Value) []byte { return appendRounded(b, v.Float()) }, nil
	case protoreflect.MessageKind:
		return ps.messageWriter(field.Message())
	case protoreflect.FloatKind, protoreflect.BytesKind, protoreflect.EnumKind, protoreflect.GroupKind:
	}
	return nil, fmt.Errorf("%s: a field of kind %s has no form on Trove's wire", field.FullName(), field.Kind())
}

func (ps planner) messageWriter(message protoreflect.MessageDescriptor) (writer, error) {
	switch message.FullName() {
	case "google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue":
		return func(b []byte, v protoreflect.Value) []byte { return appendKnown(b, v.Message().Interface()) }, nil
	}
	inner, err := ps.plan(message)
	if err != nil {
		return nil, err
	}
	return func(b []byte, v protoreflect.Value) []byte {
		return append(inner.append(append(b, '{'), v.Message()), '}')
	}, nil
}

// append writes the members of the object, without its braces.
func (p *plan) append(b []byte, message protoreflect.Message) []byte {
	first := len(b)
	for i := range p.fields {
		field := &p.fields[i]
		if field.presence && !message.Has(field.descriptor) {
			continue
		}
		value := message.Get(field.descriptor)
		if field.omitEmpty && field.list && value.List().Len() == 0 {
			continue
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = append(b, field.key...)
		if field.list {
			b = field.appendList(b, value.List())
		} else {
			b = field.write(b, value)
		}
	}
	return b
}

func (f *fieldPlan) appendList(b []byte, list protoreflect.List) []byte {
	b = append(b, '[')
	for i := range list.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.write(b, list.Get(i))
	}
	return append(b, ']')
}
