package newinstance

import (
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
)

func (k *checker) flavor() (err error) {
	k.plan.Flavor, err = Flavor("instance", k.body.GetFlavorRef(), k.catalog)
	return err
}

// Flavor finds the flavor that a member flavorRef of a body means: an id as text or number, or a URL that ends in one.
// root is the name of the object whose member it is.
func Flavor(root string, ref *structpb.Value, c *catalog.Catalog) (*journalv1.CatalogFlavor, error) {
	path := root + "['flavorRef']"
	var id string
	switch ref := ref.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return nil, invalid(root, "'flavorRef' is a required property")
	case *structpb.Value_StringValue:
		id = lastSegment(ref.StringValue)
		if id == "" {
			return nil, invalid(path, "'%s' is neither the id nor the URL of a flavor", ref.StringValue)
		}
	case *structpb.Value_NumberValue:
		n, ok := integer(ref.NumberValue)
		if !ok {
			return nil, invalid(path, "%v is not a string or an integer", ref.NumberValue)
		}
		id = strconv.FormatInt(n, 10)
	default:
		return nil, invalid(path, "is not a string or an integer")
	}
	flavor, found := c.Flavor(id)
	if !found {
		// Trove's FlavorNotFound is a 400 in a create call and in a resize.
		return nil, refused("FLAVOR_NOT_FOUND", "Resource %s cannot be found.", id)
	}
	return flavor, nil
}

// FlavorOrder is a flavor as commands carry it.
func FlavorOrder(f *journalv1.CatalogFlavor) *commandv1.Flavor {
	return &commandv1.Flavor{Id: f.GetId(), Name: f.GetName(), Ram: f.GetRam(), Vcpus: f.GetVcpus(), Disk: f.GetDisk()}
}

func (k *checker) volume() (err error) {
	k.plan.VolumeSize, err = VolumeSize("instance['volume']['size']", k.body.GetVolume().GetSize(), k.limits)
	if err != nil {
		return err
	}
	return k.volumeType()
}

// VolumeSize is the size in GiB that a body asks for at a path: an integer or a string of digits, within the limits.
func VolumeSize(path string, value *structpb.Value, limits Limits) (int, error) {
	var size int64
	switch value := value.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return 0, refused("VOLUME_SIZE_NOT_SPECIFIED", "Volume size was not specified.")
	case *structpb.Value_NumberValue:
		n, ok := integer(value.NumberValue)
		if !ok {
			return 0, invalid(path, "%v is not an integer of at least 1", value.NumberValue)
		}
		size = n
	case *structpb.Value_StringValue:
		if value.StringValue == "" || strings.Trim(value.StringValue, "0123456789") != "" {
			return 0, invalid(path, "'%s' does not match '^[0-9]+$'", value.StringValue)
		}
		// More digits than fit are more than any maximum.
		n, err := strconv.ParseInt(value.StringValue, 10, 64)
		if err != nil {
			n = math.MaxInt64
		}
		size = n
	default:
		return 0, invalid(path, "is not an integer or a string of digits")
	}
	if size < 1 {
		return 0, invalid(path, "%d is less than the minimum of 1", size)
	}
	if size > int64(limits.MaxVolumeSize) {
		return 0, errs.New(errs.OverQuota, "VOLUME_QUOTA_EXCEEDED",
			"Volume 'size' cannot exceed maximum of %d GB, %d cannot be accepted.", limits.MaxVolumeSize, size)
	}
	return int(size), nil
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
