package dbconfig

import "strconv"

// Defaults are the parameters that Coffer sets, by name, for an engine by its manager name, a version of it, and a
// flavor's memory in MiB. Values are spelled as in the engine's configuration file. Nil: the engine is not known. The
// map is the caller's own.
func Defaults(manager, _ string, memoryMiB int) map[string]string {
	switch manager {
	case "mariadb":
		return mariadb(memoryMiB)
	case "postgresql":
		return postgresql(memoryMiB)
	}
	return nil
}

// inUnit spells a size.
func inUnit(n int, unit string) string { return strconv.Itoa(n) + unit }
