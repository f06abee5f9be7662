package dbserver

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// CompareVersions orders 9.6 before 10.2: number by number where both are numbers, else as text.
func CompareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, xErr := strconv.Atoi(x)
		n, yErr := strconv.Atoi(y)
		if xErr != nil || yErr != nil {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(m, n)
	})
}

// Series is the part of a version that stays the same over a package's updates: 10.11 of 10.11.14.
func Series(version string) string {
	if last := strings.LastIndexByte(version, '.'); last >= 0 {
		return version[:last]
	}
	return version
}
