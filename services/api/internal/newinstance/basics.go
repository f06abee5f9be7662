package newinstance

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the length of names and zones, in characters.
const maxName = 255

func (k *checker) name() error {
	if k.body.Name == nil {
		return invalid("instance", "'name' is a required property")
	}
	k.plan.Name = k.body.GetName()
	return Name(k.body.GetName())
}

// Name checks an instance's name.
func Name(name string) error {
	if err := text("instance['name']", name); err != nil {
		return err
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return invalid("instance['name']", "'%s' must contain a letter or a digit", name)
	}
	return nil
}

func (k *checker) availabilityZone() error {
	if k.body.AvailabilityZone == nil {
		return nil
	}
	zone := k.body.GetAvailabilityZone()
	if err := text("instance['availability_zone']", zone); err != nil {
		return err
	}
	if zones := k.catalog.Provider.GetAvailabilityZones(); !slices.Contains(zones, zone) {
		return k.beyond("has no availability zone '%s'; it has: %s.", zone, list(zones))
	}
	k.plan.AvailabilityZone = zone
	return nil
}

func (k *checker) region() error {
	region := k.catalog.Provider.GetRegion()
	if k.body.RegionName != nil {
		if err := text("instance['region_name']", k.body.GetRegionName()); err != nil {
			return err
		}
		if k.body.GetRegionName() != region {
			return k.beyond("serves the region '%s' only, not '%s'.", region, k.body.GetRegionName())
		}
	}
	k.plan.Region = region
	return nil
}

var localities = []string{"affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"}

func (k *checker) locality() error {
	locality := k.body.GetLocality()
	if k.body.Locality == nil {
		return nil
	}
	if !slices.Contains(localities, locality) {
		return invalid("instance['locality']", "'%s' is not one of: %s", locality, list(localities))
	}
	if locality == "anti-affinity" && !k.catalog.Provider.GetCapabilities().GetAntiAffinity() {
		return k.beyond("cannot keep servers on different hosts; locality can be affinity, soft-affinity or " +
			"soft-anti-affinity.")
	}
	k.plan.Locality = locality
	return nil
}

func text(path, value string) error {
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		return invalid(path, "'' is too short; it must have 1 to %d characters", maxName)
	case n > maxName:
		return invalid(path, "is too long; it must have 1 to %d characters", maxName)
	case strings.ContainsFunc(value, unicode.IsControl):
		return invalid(path, "contains a control character")
	}
	return nil
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
