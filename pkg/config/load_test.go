package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/config"
)

type flavor struct {
	Name string `koanf:"name"`
	RAM  int    `koanf:"ram"`
}

type state struct {
	Driver string `koanf:"driver"`
	DSN    string `koanf:"dsn"`
}

// Common is part of what has it.
type Common struct {
	Region string `koanf:"region"`
}

type settings struct {
	Common  `koanf:",squash"`
	Listen  string        `koanf:"listen"`
	Limit   time.Duration `koanf:"limit"`
	State   state         `koanf:"state"`
	Flavors []flavor      `koanf:"flavors"`
	Names   []string      `koanf:"names"`
	Open    bool          `koanf:"open"`
}

func (s settings) Validate() error {
	var faults []error
	if s.State.Driver == "oracle" {
		faults = append(faults, errors.New("state.driver: must be sqlite"))
	}
	for i, f := range s.Flavors {
		if f.RAM < 0 {
			faults = append(faults, fmt.Errorf("flavors[%d]: %w", i, errors.New("ram must not be negative")))
		}
	}
	return errors.Join(faults...)
}

func defaults() settings {
	return settings{
		Listen: "127.0.0.1:1", Limit: time.Second, State: state{Driver: "sqlite"},
		Flavors: []flavor{{Name: "small", RAM: 1}, {Name: "large", RAM: 2}},
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "coffer.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestEachSourceGoesOverTheOneBefore(t *testing.T) {
	got := defaults()
	err := config.Load(&got, config.Sources{
		File:    write(t, "listen: file\nregion: file\nlimit: 5s\nstate:\n  dsn: file\nflavors:\n- name: own\n  ram: 7\n"),
		Environ: []string{"COFFER_LISTEN=env", "COFFER_STATE_DSN=env", "COFFER_NAMES=a,b", "COFFER_OPEN=true", "COFFER_CRASHPOINT=x"},
		Flags:   map[string]any{"listen": "flag"},
	})
	require.NoError(t, err)
	assert.Equal(t, settings{
		Common: Common{Region: "file"}, Listen: "flag", Limit: 5 * time.Second, State: state{Driver: "sqlite", DSN: "env"},
		Flavors: []flavor{{Name: "own", RAM: 7}}, Names: []string{"a", "b"}, Open: true,
	}, got)
}

func TestNothingGivenKeepsTheDefaults(t *testing.T) {
	got := defaults()
	require.NoError(t, config.Load(&got, config.Sources{File: write(t, "# nothing\n")}))
	assert.Equal(t, defaults(), got)
}

func TestFaultsNameTheirLines(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":      {"listen: x\nlisen: y\n", ":2: lisen: is no setting; known here: region, listen, limit, state, flavors, names, open"},
		"unknown below":    {"state:\n\n  drver: y\n", ":3: state.drver: is no setting; known here: driver, dsn"},
		"unknown in list":  {"flavors:\n- name: a\n  rom: 1\n", ":3: flavors[0].rom: is no setting; known here: name, ram"},
		"repeated":         {"listen: x\nlisten: y\n", ":2: listen: stands here a second time"},
		"no list":          {"flavors: 3\n", ":1: flavors: must be a list"},
		"no section":       {"state: 3\n", ":1: state: must hold keys: driver, dsn"},
		"type":             {"listen: x\nopen: maybe\n", ":2: open: "},
		"type in list":     {"flavors:\n- name: a\n  ram: much\n", ":3: flavors[0].ram: "},
		"duration":         {"limit: soon\n", ":1: limit: "},
		"validation":       {"state:\n  dsn: x\n  driver: oracle\n", ":3: state.driver: must be sqlite"},
		"validation below": {"flavors:\n- name: a\n- name: b\n  ram: -1\n", ":3: flavors[1]: ram must not be negative"},
		"no YAML":          {"listen: [\n", "line 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := defaults()
			path := write(t, test.text)
			err := config.Load(&got, config.Sources{File: path})
			require.Error(t, err)
			assert.Contains(t, err.Error(), path)
			assert.Contains(t, err.Error(), test.want)
		})
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	got := defaults()
	err := config.Load(&got, config.Sources{File: write(t, "a: 1\nb: 2\n")})
	var faults config.Faults
	require.ErrorAs(t, err, &faults)
	assert.Len(t, faults, 2)
}

func TestAProgramAlonePassesOverTheSectionsOfOthers(t *testing.T) {
	got := defaults()
	path := write(t, "gateway:\n  listen: x\nlisten: mine\n")
	require.NoError(t, config.Load(&got, config.Sources{File: path, Partial: true}))
	assert.Equal(t, "mine", got.Listen)
}

func TestAFaultInTheEnvironmentNamesItsKey(t *testing.T) {
	got := defaults()
	err := config.Load(&got, config.Sources{Environ: []string{"COFFER_LIMIT=soon"}})
	require.ErrorContains(t, err, "limit: ")
}

func TestWhatIsShownLoadsAgainAndHidesSecrets(t *testing.T) {
	given := defaults()
	given.Region, given.State.DSN = "north", "user:t0psecret@host"
	text, err := config.Show(given)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "t0psecret")

	var got settings
	require.NoError(t, config.Load(&got, config.Sources{File: write(t, string(text))}))
	given.State.DSN = "[hidden]"
	given.Names = []string{}
	assert.Equal(t, given, got)
}
