package proc_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

const roleVariable = "PROC_TEST_ROLE"

// The test binary, run again with a role, is a parent that starts a child and ends at once.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "parent" {
		child, err := proc.Start(endless(os.Args[1]))
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(child.Record())
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// endless runs until it is killed and has the path of a file on its command line.
func endless(file string) proc.Command {
	return proc.Command{Path: "/usr/bin/tail", Args: []string{"-f", file}, Dir: "/"}
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// orphan is a process whose parent has ended.
func orphan(t *testing.T, file string) proc.Record {
	t.Helper()
	parent := exec.CommandContext(t.Context(), os.Args[0], file)
	parent.Env = append(os.Environ(), roleVariable+"=parent")
	out, err := parent.Output()
	require.NoError(t, err)
	var record proc.Record
	require.NoError(t, json.Unmarshal(out, &record))
	return record
}

func TestAChildTellsHowItEnded(t *testing.T) {
	p, err := proc.Start(proc.Command{Path: "/bin/sh", Args: []string{"-c", "exit 3"}, Dir: "/"})
	require.NoError(t, err)
	exit, err := p.Wait(deadline(t))
	require.NoError(t, err)
	assert.Equal(t, proc.Exit{Known: true, Code: 3}, exit)
	assert.ErrorIs(t, p.Signal(syscall.SIGTERM), proc.ErrGone)
}

func TestAKilledChildNamesItsSignal(t *testing.T) {
	p, err := proc.Start(endless(os.DevNull))
	require.NoError(t, err)
	require.NoError(t, proc.Kill(deadline(t), p))
	assert.Equal(t, "killed by SIGKILL", p.Exit().String())
}

func TestAChildHasASessionOfItsOwnAndItsOutputGoesToTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := proc.Start(proc.Command{
		Path: "/bin/sh", Args: []string{"-c", "cut -d' ' -f1,6 /proc/$$/stat; echo mistake >&2; exec true"}, Dir: "/", Log: log,
		Env: []string{"PATH=/usr/bin:/bin"},
	})
	require.NoError(t, err)
	_, err = p.Wait(deadline(t))
	require.NoError(t, err)
	out, err := os.ReadFile(log)
	require.NoError(t, err)
	pid, _ := json.Marshal(p.PID())
	assert.Equal(t, string(pid)+" "+string(pid)+"\nmistake\n", string(out))
}

func TestAMissingProgramIsAnError(t *testing.T) {
	_, err := proc.Start(proc.Command{Path: "/does/not/exist", Dir: "/"})
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAProcessOutlivesItsParentAndIsFoundByItsRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	require.NoError(t, orphan(t, os.DevNull).Save(path))
	record, err := proc.Load(path)
	require.NoError(t, err)

	p, err := proc.Find(record)
	require.NoError(t, err)
	assert.Equal(t, record, p.Record())
	require.NoError(t, proc.Kill(deadline(t), p))
	assert.False(t, p.Exit().Known)

	_, err = proc.Find(record)
	assert.ErrorIs(t, err, proc.ErrGone)
}

func TestAProcessIsFoundByAnArgumentOfItsCommandLine(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	require.NoError(t, os.WriteFile(mark, nil, 0o600))
	record := orphan(t, mark)
	found, err := proc.FindByArgument(mark)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, record, found[0].Record())
	require.NoError(t, proc.Kill(deadline(t), found...))
}

func TestAnAdoptedProcessEndsAsWhoReapsItSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	record := orphan(t, file)
	collect := func() proc.Exit { return proc.Exit{Known: true, Code: 7} }
	p, err := proc.Adopt(record.PID, collect)
	require.NoError(t, err)
	assert.Equal(t, record, p.Record())
	require.NoError(t, proc.Kill(deadline(t), p))
	assert.Equal(t, "exited with 7", p.Exit().String())

	late, err := proc.Adopt(record.PID, collect)
	require.NoError(t, err)
	assert.Equal(t, proc.Exit{Known: true, Code: 7}, late.Exit())
	assert.Equal(t, record.PID, late.PID())
	require.ErrorIs(t, late.Signal(syscall.SIGTERM), proc.ErrGone)
	late.Release()
}

func TestAForkIsNotTakenForTheProcessItself(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	require.NoError(t, syscall.Mkfifo(mark+".pipe", 0o600))
	p, err := proc.Start(proc.Command{
		Path: "/bin/sh", Args: []string{"-c", `(read never < "$0.pipe") & : > "$0"; wait`, mark}, Dir: "/",
	})
	require.NoError(t, err)
	for ctx := deadline(t); ; {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		require.NoError(t, ctx.Err())
	}
	found, err := proc.FindByArgument(mark)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, p.Record(), found[0].Record())
	require.NoError(t, proc.Kill(deadline(t), found...))
	// The fork ends when its pipe is opened and closed.
	pipe, err := os.OpenFile(mark+".pipe", os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, pipe.Close())
}

func TestAnotherProcessWithTheSameIDIsNotFound(t *testing.T) {
	self, err := proc.Self()
	require.NoError(t, err)
	for name, change := range map[string]func(*proc.Record){
		"start time": func(r *proc.Record) { r.StartTicks++ },
		"boot":       func(r *proc.Record) { r.BootID = "another" },
		"no process": func(r *proc.Record) { r.PID = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			other := self
			change(&other)
			_, err := proc.Find(other)
			assert.ErrorIs(t, err, proc.ErrGone)
		})
	}
}

func TestAZombieIsDead(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "/bin/sleep", "600")
	require.NoError(t, cmd.Start())
	found, err := proc.FindByArgument("600")
	require.NoError(t, err)
	var record proc.Record
	for _, p := range found {
		if p.PID() == cmd.Process.Pid {
			record = p.Record()
			require.NoError(t, p.Signal(syscall.SIGKILL))
			_, err := p.Wait(deadline(t))
			require.NoError(t, err)
			continue
		}
		p.Release()
	}
	_, err = proc.Find(record)
	require.ErrorIs(t, err, proc.ErrGone)
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
}

func TestAReleasedProcessRunsOn(t *testing.T) {
	p, err := proc.Start(endless(os.DevNull))
	require.NoError(t, err)
	p.Release()
	p.Release()
	again, err := proc.Find(p.Record())
	require.NoError(t, err)
	select {
	case <-p.Done():
		t.Fatal("a released process seems to have ended")
	default:
	}
	require.NoError(t, proc.Kill(deadline(t), again))
}
