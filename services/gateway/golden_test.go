package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the answers of this run as the golden ones")

// Each testdata/<name>.request is played against the canned api; testdata/<name>.response is what has to come back.
func TestGoldenAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.request")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	door := handler(t, cannedAPI())
	for _, file := range files {
		name := strings.TrimSuffix(file, ".request")
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := write(t, play(door, read(t, file)))
			if *update {
				require.NoError(t, os.WriteFile(name+".response", got, 0o600))
			}
			want, err := os.ReadFile(name + ".response")
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		})
	}
}

// read parses a request: "METHOD path", headers, an empty line, the body. {project} and {instance} are filled in.
func read(t *testing.T, file string) *http.Request {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	filled := strings.NewReplacer("{project}", project, "{instance}", instanceID, "{task}", taskID).Replace(string(text))
	head, body, _ := strings.Cut(filled, "\n\n")
	lines := bufio.NewScanner(strings.NewReader(head))
	require.True(t, lines.Scan())
	method, path, ok := strings.Cut(lines.Text(), " ")
	require.True(t, ok, "the first line of %s is not METHOD path", file)
	r := request(method, path, strings.TrimSpace(body))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		r.Header.Set(name, strings.TrimSpace(value))
		if value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

// write gives an answer a form that reads well in a diff: the code, the headers that matter, the body indented.
func write(t *testing.T, answer *httptest.ResponseRecorder) []byte {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintln(&b, answer.Code)
	for _, name := range slices.Sorted(maps.Keys(answer.Header())) {
		if name != "X-Openstack-Request-Id" && name != "X-Compute-Request-Id" && name != "Content-Length" {
			fmt.Fprintf(&b, "%s: %s\n", name, answer.Header().Get(name))
		}
	}
	fmt.Fprintln(&b)
	if answer.Body.Len() == 0 {
		return b.Bytes()
	}
	if !json.Valid(answer.Body.Bytes()) {
		b.Write(answer.Body.Bytes())
		return append(b.Bytes(), '\n')
	}
	require.NoError(t, json.Indent(&b, answer.Body.Bytes(), "", "  "))
	return append(b.Bytes(), '\n')
}
