package config

import (
	"errors"
	"fmt"
)

// Section puts a section's name in front of every fault that the section's Validate joined: "size: …" becomes
// "cache.size: …". Nil stays nil.
func Section(name string, err error) error {
	var faults []error
	for _, fault := range flatten(err) {
		faults = append(faults, fmt.Errorf("%s.%w", name, fault))
	}
	return errors.Join(faults...)
}
