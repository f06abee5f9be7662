package guest_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shellUnit is a shell on the machine's second serial line, for tests alone: the image has no way in.
const shellUnit = `[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
TTYReset=yes
Restart=always
`

// withShell is the image with the shell in it, and with other programs, by name.
func withShell(t *testing.T, image string, programs ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount an image to put a shell into it")
	}
	dir := t.TempDir()
	raw, base, folder := filepath.Join(dir, "raw"), filepath.Join(dir, "base"), filepath.Join(dir, "mounted")
	run(t, "qemu-img", "convert", "-O", "raw", image, raw)
	device := run(t, "losetup", "--find", "--show", "--partscan", "--offset", rootOffset(t, raw), raw)
	defer func() { run(t, "losetup", "--detach", device) }()
	require.NoError(t, os.Mkdir(folder, 0o700))
	run(t, "mount", device, folder)
	units := filepath.Join(folder, "etc/systemd/system")
	require.NoError(t, os.WriteFile(filepath.Join(units, "test-shell.service"), []byte(shellUnit), 0o600))
	require.NoError(t, os.Symlink("../test-shell.service", filepath.Join(units, "multi-user.target.wants/test-shell.service")))
	for _, program := range programs {
		run(t, "cp", program, filepath.Join(folder, "usr/local/bin"))
	}
	run(t, "umount", folder)
	run(t, "qemu-img", "convert", "-O", "qcow2", raw, base)
	return base
}

// rootOffset is where the second partition begins, bytes.
func rootOffset(t *testing.T, disk string) string {
	t.Helper()
	for line := range strings.Lines(run(t, "sfdisk", "--dump", disk)) {
		name, fields, _ := strings.Cut(line, " : ")
		var start int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(fields, " ", ""), "start=%d", &start); err == nil && strings.HasSuffix(name, "2") {
			return strconv.FormatInt(start*512, 10)
		}
	}
	require.FailNow(t, "the image has no second partition")
	return ""
}

// shell runs a command in the machine and gives what it says.
func (m *vm) shell(command string) string {
	m.t.Helper()
	ctx := m.ctx()
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(m.dir, "shell"))
	require.NoError(m.t, err)
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Now()) })
	defer stop()
	// The line may hold what a former conversation left, and echoes what is written until it is told not to.
	_, err = fmt.Fprintf(connection, "\nstty -echo -onlcr; PS1= PS2=; echo BEG''IN; %s; echo EN''D $?\n", command)
	require.NoError(m.t, err)
	lines := bufio.NewReader(connection)
	var said strings.Builder
	for began := false; ; {
		line, err := lines.ReadString('\n')
		require.NoError(m.t, err, "%s: %s", command, said.String())
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(line, "BEGIN"):
			began = true
		case strings.HasPrefix(line, "END "):
			assert.Equal(m.t, "END 0", line, "%s: %s", command, said.String())
			return strings.TrimSpace(said.String())
		case began:
			said.WriteString(line + "\n")
		}
	}
}
