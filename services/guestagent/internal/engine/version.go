package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// CompareVersions orders exact versions such as 10.11.14 and 15.18: negative when a is older. What is no number counts
// as 0.
func CompareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		n, _ := strconv.Atoi(x)
		m, _ := strconv.Atoi(y)
		return cmp.Compare(n, m)
	})
}
