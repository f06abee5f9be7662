package dialect

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// appendKnown writes JSON that was kept as it came.
func appendKnown(b []byte, message proto.Message) []byte {
	switch known := message.(type) {
	case *structpb.Value:
		return appendValue(b, known)
	case *structpb.Struct:
		return appendStruct(b, known)
	case *structpb.ListValue:
		return appendValues(b, known)
	}
	return append(b, "null"...)
}

func appendValue(b []byte, value *structpb.Value) []byte {
	switch kind := value.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return strconv.AppendBool(b, kind.BoolValue)
	case *structpb.Value_NumberValue:
		return appendNumber(b, kind.NumberValue)
	case *structpb.Value_StringValue:
		return appendText(b, kind.StringValue)
	case *structpb.Value_StructValue:
		return appendStruct(b, kind.StructValue)
	case *structpb.Value_ListValue:
		return appendValues(b, kind.ListValue)
	}
	return append(b, "null"...)
}

func appendStruct(b []byte, object *structpb.Struct) []byte {
	b = append(b, '{')
	first := true
	for _, key := range slices.Sorted(maps.Keys(object.GetFields())) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, key), ':')
		b = appendValue(b, object.GetFields()[key])
	}
	return append(b, '}')
}

func appendValues(b []byte, list *structpb.ListValue) []byte {
	b = append(b, '[')
	for i, value := range list.GetValues() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, value)
	}
	return append(b, ']')
}

// appendRounded writes a quantity, such as GiB, with two decimals at most.
func appendRounded(b []byte, number float64) []byte {
	return appendNumber(b, math.Round(number*100)/100)
}

func appendNumber(b []byte, number float64) []byte {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return append(b, "null"...)
	}
	if number == math.Trunc(number) && math.Abs(number) < 1<<53 {
		return strconv.AppendInt(b, int64(number), 10)
	}
	return strconv.AppendFloat(b, number, 'g', -1, 64)
}
