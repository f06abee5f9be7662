package postgresql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHistorySaysWhatItHolds(t *testing.T) {
	h, err := parseHistory(3, "1\t0/3000000\tno recovery target specified\n\n2\t0/5000000\tbefore 2000-01-01\n")
	require.NoError(t, err)
	const upTo = lsn(0x6000000)
	for text, holds := range map[string]bool{
		"1/0/2FFFFFF": true, "1/0/3000000": true, "1/0/3000001": false,
		"2/0/3000001": true, "2/0/5000000": true, "2/0/5000001": false,
		"3/0/6000000": true, "3/0/6000001": false, "4/0/1": false,
	} {
		p, err := parsePosition(text)
		require.NoError(t, err)
		assert.Equal(t, text, p.String())
		assert.Equal(t, holds, h.holds(p, upTo), text)
	}
	assert.Equal(t, "3/0/5000000", h.began().String())
	assert.EqualValues(t, 1, h.timelineAt(0x3000000))
	assert.EqualValues(t, 2, h.timelineAt(0x3000001))
	assert.EqualValues(t, 3, h.timelineAt(0x5000001))
}

func TestPositionsAreComparedAsNumbers(t *testing.T) {
	less, err := parsePosition("1/9/FFFFFFFF")
	require.NoError(t, err)
	more, err := parsePosition("1/10/0")
	require.NoError(t, err)
	assert.True(t, more.reaches(less))
	assert.False(t, less.reaches(more))
	for _, text := range []string{"", "1", "0/3000158", "1/0/", "1/x/3", "-1/0/1", "1/100000000/0"} {
		_, err := parsePosition(text)
		require.Error(t, err, text)
	}
}
