package mariadb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, text string) position {
	t.Helper()
	p, err := parsePosition(text)
	require.NoError(t, err)
	assert.Equal(t, text, p.String())
	return p
}

func TestPositionsAreComparedByDomain(t *testing.T) {
	assert.EqualValues(t, 408, parsed(t, "0-1-405,1-7-3").progress())
	assert.Zero(t, parsed(t, "").progress())
	for _, c := range []struct {
		here, wanted string
		reaches      bool
	}{
		{"", "", true},
		{"0-1-5", "", true},
		{"", "0-1-5", false},
		{"0-1-5", "0-1-5", true},
		{"0-2-6", "0-1-5", true},
		{"0-1-5", "0-2-6", false},
		{"0-1-5,1-1-1", "1-1-2", false},
		{"0-1-5,1-1-1", "2-1-1", false},
	} {
		assert.Equal(t, c.reaches, parsed(t, c.here).reaches(parsed(t, c.wanted)), "%+v", c)
	}
	for _, text := range []string{"0-1", "x", "0-1-2-3", "0-1-99999999999999999999", "4294967296-1-1"} {
		_, err := parsePosition(text)
		require.Error(t, err, text)
	}
}

func TestASourceLacksWhatItNeverHad(t *testing.T) {
	for what, c := range map[string]struct {
		state, received, current, here string
		lacks                          bool
	}{
		"nothing is here":                        {state: "0-1-5", current: "0-1-5", here: ""},
		"the source has it and more":             {state: "0-1-5,0-2-9", current: "0-2-9", here: "0-1-5"},
		"the other server has committed more":    {state: "0-1-5,0-2-9", current: "0-2-9", here: "0-1-6", lacks: true},
		"a copy that has seen nothing yet":       {received: "0-1-5", current: "0-1-5", here: "0-1-5"},
		"a copy of an older state":               {received: "0-1-5", current: "0-1-5", here: "0-1-7", lacks: true},
		"a fresh source":                         {here: "0-1-1", lacks: true},
		"a server of which the source knows not": {state: "0-2-9", current: "0-2-9", here: "0-1-5"},
		"the same, but further than the source":  {state: "0-2-4", current: "0-2-4", here: "0-1-5", lacks: true},
	} {
		h := history{state: parsed(t, c.state), received: parsed(t, c.received), current: parsed(t, c.current)}
		assert.Equal(t, c.lacks, h.lacks(parsed(t, c.here)), what)
	}
}

func TestTheFurtherOfTwoPositionsIsTakenByDomain(t *testing.T) {
	for _, c := range [][3]string{
		{"0-1-5", "0-2-7", "0-2-7"},
		{"0-1-9", "0-2-7", "0-1-9"},
		{"0-1-5,1-1-3", "0-2-7", "0-2-7,1-1-3"},
		{"", "0-2-7", "0-2-7"},
		{"0-1-5", "", "0-1-5"},
	} {
		one, err := parsePosition(c[0])
		require.NoError(t, err)
		other, err := parsePosition(c[1])
		require.NoError(t, err)
		assert.Equal(t, c[2], one.with(other).String())
	}
}
