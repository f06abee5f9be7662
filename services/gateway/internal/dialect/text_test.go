package dialect

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzTextReadsBackAsItWas(f *testing.F) {
	for _, seed := range []string{"", "orders", `a "b" \c`, "\x00\x1f\n\r\t", "ü€😀", "\xff\xfe", "a\xc3", "\u2028</script>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := appendText(nil, text)
		var back string
		require.NoError(t, json.Unmarshal(written, &back), "%s", written)
		assert.Equal(t, strings.ToValidUTF8(replaceEach(text), "\ufffd"), back)
		assert.True(t, utf8.Valid(written))
	})
}

// replaceEach replaces byte by byte, where strings.ToValidUTF8 replaces runs of bytes.
func replaceEach(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(r)
	}
	return b.String()
}

func TestNumbersAreBareAndShort(t *testing.T) {
	for number, text := range map[float64]string{
		0: "0", 1: "1", -1: "-1", 0.1234567: "0.12", 13.335: "13.34", 2.5: "2.5", 1e15: "1000000000000000", 0.004: "0",
	} {
		assert.Equal(t, text, string(appendRounded(nil, number)))
	}
	for number, text := range map[float64]string{200: "200", 0.1234567: "0.1234567", 1e300: "1e+300"} {
		assert.Equal(t, text, string(appendNumber(nil, number)))
	}
}
