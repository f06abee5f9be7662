package newinstance

import (
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func (k *checker) flavor() error {
	const path = "instance['flavorRef']"
	var id string
	switch ref := k.body.GetFlavorRef().GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return invalid("instance", "'flavorRef' is a required property")
	case *structpb.Value_StringValue:
		id = lastSegment(ref.StringValue)
		if id == "" {
			return invalid(path, "'%s' is neither the id nor the URL of a flavor", ref.StringValue)
		}
	case *structpb.Value_NumberValue:
		n, ok := integer(ref.NumberValue)
		if !ok {
			return invalid(path, "%v is not a string or an integer", ref.NumberValue)
		}
		id = strconv.FormatInt(n, 10)
	default:
		return invalid(path, "is not a string or an integer")
	}
	flavor, found := k.catalog.Flavor(id)
	if !found {
		// Trove's FlavorNotFound is a 400 in a create call.
		return refused("FLAVOR_NOT_FOUND", "Resource %s cannot be found.", id)
	}
	k.plan.Flavor = flavor
	return nil
}

func (k *checker) volume() error {
	const path = "instance['volume']['size']"
	var size int64
	switch value := k.body.GetVolume().GetSize().GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return refused("VOLUME_SIZE_NOT_SPECIFIED", "Volume size was not specified.")
	case *structpb.Value_NumberValue:
		n, ok := integer(value.NumberValue)
		if !ok {
			return invalid(path, "%v is not an integer of at least 1", value.NumberValue)
		}
		size = n
	case *structpb.Value_StringValue:
		if value.StringValue == "" || strings.Trim(value.StringValue, "0123456789") != "" {
			return invalid(path, "'%s' does not match '^[0-9]+$'", value.StringValue)
		}
		// More digits than fit are more than any maximum.
		n, err := strconv.ParseInt(value.StringValue, 10, 64)
		if err != nil {
			n = math.MaxInt64
		}
		size = n
	default:
		return invalid(path, "is not an integer or a string of digits")
	}
	if size < 1 {
		return invalid(path, "%d is less than the minimum of 1", size)
	}
	if size > int64(k.limits.MaxVolumeSize) {
		return errs.New(errs.OverQuota, "VOLUME_QUOTA_EXCEEDED",
			"Volume 'size' cannot exceed maximum of %d GB, %d cannot be accepted.", k.limits.MaxVolumeSize, size)
	}
	k.plan.VolumeSize = int(size)
	return k.volumeType()
}

func (k *checker) volumeType() error {
	wanted := k.body.GetVolume().GetType()
	types := k.catalog.Provider.GetVolumeTypes()
	names := make([]string, 0, len(types))
	for _, t := range types {
		if wanted == t.GetId() || wanted == t.GetName() {
			k.plan.VolumeType = t.GetName()
			return nil
		}
		names = append(names, t.GetName())
	}
	if wanted != "" {
		return k.beyond("has no volume type '%s'; it has: %s.", wanted, list(names))
	}
	if len(names) == 1 {
		k.plan.VolumeType = names[0]
	}
	return nil
}

// lastSegment is the id in a reference that may be a URL.
func lastSegment(ref string) string {
	ref = strings.TrimRight(ref, "/")
	return ref[strings.LastIndexByte(ref, '/')+1:]
}

// maxExact is the largest integer that a JSON number carries exactly.
const maxExact = 1 << 53

func integer(number float64) (int64, bool) {
	if number != math.Trunc(number) || math.Abs(number) > maxExact {
		return 0, false
	}
	return int64(number), true
}
