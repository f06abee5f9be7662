package serve

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/pkg/config"
)

const settingsPage = "../../../../docs/settings.md"

func TestThePageOfSettingsNamesEachSettingAndItsDefault(t *testing.T) {
	text, err := config.Show(DefaultConfig())
	require.NoError(t, err)
	var shown map[string]any
	require.NoError(t, yaml.Unmarshal(text, &shown))
	defaults := map[string]string{}
	flatten(defaults, "", shown)
	documented := settingsOf(t, settingsPage)

	for key, value := range defaults {
		told, named := documented[key]
		if assert.True(t, named, "%s is missing", key) && !strings.Contains(key, "[]") {
			assert.Equal(t, value, told, key)
		}
	}
	for key := range documented {
		_, known := defaults[key]
		assert.True(t, known, "%s is no setting", key)
	}
}

// flatten puts each setting under its dotted key; those of a list's items are under one key for all of them.
func flatten(into map[string]string, key string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			flatten(into, strings.TrimPrefix(key+"."+name, "."), below)
		}
	case []any:
		if len(value) == 0 {
			into[key] = ""
		}
		for _, item := range value {
			flatten(into, key+"[]", item)
		}
	default:
		into[key] = fmt.Sprint(value)
	}
}

// settingsOf reads key and default out of the page's tables.
func settingsOf(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	found := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		key := strings.Trim(cells[1], " `")
		assert.NotContains(t, found, key)
		found[key] = strings.Trim(cells[2], " `")
	}
	return found
}
