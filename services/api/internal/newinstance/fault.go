package newinstance

import (
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
)

// invalid is a value that breaks Trove's schema: path is where, fault what.
func invalid(path, format string, args ...any) error {
	e := errs.New(errs.Invalid, "VALIDATION", format, args...)
	e.Sentence = "Validation error: " + path + " " + e.Sentence
	return e
}

// refused is a value that the schema allows and that is wrong all the same.
func refused(reason, format string, args ...any) error {
	return errs.New(errs.Invalid, reason, format, args...)
}

// notFound names something that does not exist.
func notFound(id string) error {
	return errs.New(errs.NotFound, "NOT_FOUND", "Resource %s cannot be found.", id)
}

// beyond is something that the provider cannot do.
func (k *checker) beyond(format string, args ...any) error { return beyond(k.catalog, format, args...) }

func beyond(c *catalog.Catalog, format string, args ...any) error {
	e := errs.New(errs.Invalid, "PROVIDER_CANNOT", format, args...)
	e.Sentence = "The provider '" + c.Provider.GetProvider() + "' " + e.Sentence
	return e
}
