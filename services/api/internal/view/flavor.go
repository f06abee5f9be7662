package view

import (
	"strconv"

	"google.golang.org/protobuf/types/known/structpb"

	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Flavors are all flavors, in the provider's order.
func (w Writer) Flavors() []*flavorv1.Flavor {
	shown := make([]*flavorv1.Flavor, 0, len(w.catalog.Provider.GetFlavors()))
	for _, f := range w.catalog.Provider.GetFlavors() {
		shown = append(shown, w.Flavor(f))
	}
	return shown
}

// Flavor is a flavor.
func (w Writer) Flavor(f *journalv1.CatalogFlavor) *flavorv1.Flavor {
	return &flavorv1.Flavor{
		Id: numericID(f.GetId()), StrId: f.GetId(), Links: w.links("flavors", f.GetId()),
		Name: f.GetName(), Ram: f.GetRam(), Vcpus: f.GetVcpus(), Disk: f.GetDisk(),
	}
}

// numericID is the id as a number where it is one without a leading zero, since one client reads it as an integer and
// takes null for 0; a number that JSON's readers would round is none.
func numericID(id string) *structpb.Value {
	n, err := strconv.ParseInt(id, 10, 53)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != id {
		return structpb.NewNullValue()
	}
	return structpb.NewNumberValue(float64(n))
}
