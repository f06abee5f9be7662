package dialect

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// queryParser fills string fields from a query by their wire names: an unknown key is ignored, of a repeated one the
// last counts. What the strings mean is the service's to check, since Trove's clients send True, 20 and nothing at all.
type queryParser struct{}

// filterPrefix begins the name of a field that a query of the rest of its name sets, where a path's parameter has
// that name already.
const filterPrefix = "filter_"

// Parse is called by the mux, with the path's parameters in the filter.
func (queryParser) Parse(target proto.Message, values url.Values, filter *utilities.DoubleArray) error {
	message := target.ProtoReflect()
	fields := message.Descriptor().Fields()
	for key, given := range values {
		field := fields.ByJSONName(key)
		if field != nil && filter.HasCommonPrefix([]string{string(field.Name())}) {
			// The path has said it: the query means the field that narrows the list, if there is one.
			field = fields.ByJSONName(filterPrefix + key)
		}
		if field == nil || len(given) == 0 || strings.HasPrefix(key, filterPrefix) {
			continue
		}
		if field.Kind() != protoreflect.StringKind || field.IsList() {
			return fmt.Errorf("%s is not read from a query", field.FullName())
		}
		value := given[len(given)-1]
		if !utf8.ValidString(value) || strings.Contains(value, "\x00") {
			return status.Errorf(codes.InvalidArgument, "The query parameter %s is not text in UTF-8.", key)
		}
		message.Set(field, protoreflect.ValueOfString(value))
	}
	return nil
}
