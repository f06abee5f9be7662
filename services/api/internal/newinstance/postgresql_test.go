package newinstance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func TestPostgreSQLsOwnNamesAreRefused(t *testing.T) {
	rules := rulesOf("postgresql")
	for _, name := range []string{"postgres", "os_admin", "PG_monitor", "coffer_repl_01234567", "coffer_replicas", "public", "None", "", "blank ", "a\nb", strings.Repeat("ü", 32)} {
		assert.True(t, errs.IsKind(rules.userName(name), errs.Invalid), "user %q", name)
	}
	for _, name := range []string{"postgres", "template0", "Template1", "", "a\x00b", strings.Repeat("x", 64)} {
		assert.True(t, errs.IsKind(rules.databaseName(name), errs.Invalid), "database %q", name)
	}
	for _, name := range []string{"keeper", "O'Brien", `with "quotes"`, "größe", strings.Repeat("x", 63)} {
		assert.NoError(t, rules.userName(name), name)
		assert.NoError(t, rules.databaseName(name), name)
	}
}

func TestPostgreSQLsCharacterSetsAreKnownInAnySpelling(t *testing.T) {
	rules := rulesOf("postgresql")
	for _, charset := range []string{"", "utf8", "UTF-8", "LATIN1", "ISO_8859-5", "sql_ascii", "KOI8-R"} {
		got, _, err := rules.charset(charset, "C")
		require.NoError(t, err, charset)
		assert.Equal(t, charset, got)
	}
	for _, charset := range []string{"utf8mb4", "klingon", "GB18030", "--"} {
		_, _, err := rules.charset(charset, "")
		assert.True(t, errs.IsKind(err, errs.Invalid), charset)
	}
}
