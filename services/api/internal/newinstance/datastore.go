package newinstance

import (
	"regexp"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// datastore resolves type, version and number as trove/datastore/models.py get_datastore_version does. Empty texts are
// absent ones: one client sends both always.
func (k *checker) datastore() error {
	wanted := k.body.GetDatastore()
	datastore, err := k.datastoreNamed(wanted.GetType())
	if err != nil {
		return err
	}
	k.plan.Version, err = Version(datastore, wanted.GetVersion(), wanted.GetVersionNumber())
	return err
}

// Version finds the active version of a datastore that a name, which may be an id, and a number mean; without both its
// default one.
func Version(d catalog.Datastore, name, number string) (store.DatastoreVersion, error) {
	version, err := versionNamed(d, name, number)
	if err == nil && !version.Active {
		err = refused("DATASTORE_VERSION_INACTIVE", "Datastore version '%s' is not active.", version.Name)
	}
	return version, err
}

func (k *checker) datastoreNamed(name string) (catalog.Datastore, error) {
	if name == "" {
		datastore, found := k.catalog.DefaultDatastore()
		if !found {
			return datastore, refused("NO_DEFAULT_DATASTORE", "Please specify datastore. No default datastore is defined.")
		}
		return datastore, nil
	}
	datastore, found := k.catalog.Datastore(name)
	if !found {
		return datastore, errs.New(errs.NotFound, "DATASTORE_NOT_FOUND", "Datastore '%s' cannot be found.", name)
	}
	return datastore, nil
}

func versionNamed(d catalog.Datastore, name, number string) (store.DatastoreVersion, error) {
	if name == "" && number == "" {
		if d.DefaultVersion == "" {
			return store.DatastoreVersion{}, refused("NO_DEFAULT_VERSION", "Default version for datastore '%s' not found.", d.Name)
		}
		name = d.DefaultVersion
	}
	for _, version := range d.Versions {
		named := name == "" || name == version.Name || strings.EqualFold(name, version.ID)
		if named && (number == "" || number == version.Version) {
			return version, nil
		}
	}
	switch {
	case uuidForm.MatchString(name) && number == "":
		return store.DatastoreVersion{}, errs.New(errs.NotFound, "DATASTORE_VERSION_NOT_FOUND",
			"Datastore version '%s' cannot be found in the datastore '%s'.", name, d.Name)
	case name == "":
		name = number
	case number != "":
		name += " (" + number + ")"
	}
	return store.DatastoreVersion{}, refused("DATASTORE_VERSION_NOT_FOUND",
		"Datastore version '%s' cannot be found.", name)
}
