package volume

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

type mounted struct{ folder, kind, device string }

// mountAt is what is mounted at a folder, the last of several, or nothing.
func mountAt(folder string) (m mounted, err error) {
	folder, err = filepath.EvalSymlinks(folder)
	if err != nil {
		return m, err
	}
	return lastMount(func(m mounted) bool { return m.folder == folder })
}

// isMounted says whether a device is mounted anywhere.
func isMounted(device string) (bool, error) {
	m, err := lastMount(func(m mounted) bool { return m.device == device })
	return m.device != "", err
}

// lastMount is the last that matches, or nothing. It reads proc_pid_mountinfo(5).
func lastMount(match func(mounted) bool) (last mounted, err error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return last, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		place, source, found := strings.Cut(lines.Text(), " - ")
		places, sources := strings.Fields(place), strings.Fields(source)
		if !found || len(places) <= 4 || len(sources) <= 1 {
			continue
		}
		m := mounted{folder: unescape(places[4]), kind: sources[0], device: unescape(sources[1])}
		if match(m) {
			last = m
		}
	}
	return last, lines.Err()
}

// unescape reads the four characters that mountinfo writes as octal numbers.
func unescape(text string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(text)
}
