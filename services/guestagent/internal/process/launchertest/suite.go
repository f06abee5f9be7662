// Package launchertest is what every process.Launcher is held to.
package launchertest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
)

// limit is how long any one test may take.
const limit = time.Minute

// nobody is a user that no agent is.
const nobody = 65534

// Run runs the suite. The launcher has no process running, before and after.
func Run(t *testing.T, launcher process.Launcher) {
	t.Helper()
	for name, test := range map[string]func(*fixture){
		"AProcessFindsWhatTheCommandSays":  (*fixture).findsWhatTheCommandSays,
		"AProcessRunsAsItsUser":            (*fixture).runsAsItsUser,
		"AnExitIsTold":                     (*fixture).tellsExit,
		"ADeathIsTold":                     (*fixture).tellsDeath,
		"OutputIsAddedToTheLog":            (*fixture).addsToTheLog,
		"AMissingProgramIsAnError":         (*fixture).refusesMissingProgram,
		"TheNextStartsWhenOneHasEnded":     (*fixture).startsTheNext,
		"AReleasedProcessRunsOnAndIsFound": (*fixture).runsOnWhenReleased,
		"AProcessThatEndsAtOnceHasEnded":   (*fixture).endsAtOnce,
		"AProcessIsTheProgramItself":       (*fixture).isTheProgram,
	} {
		t.Run(name, func(t *testing.T) { test(newFixture(t, launcher)) })
	}
}

type fixture struct {
	*testing.T

	launcher process.Launcher
	// dir is everybody's to write.
	dir string
}

func newFixture(t *testing.T, launcher process.Launcher) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "launcher-") //nolint:usetesting // closed to others
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o777)) //nolint:gosec // for the process's user
	return &fixture{T: t, launcher: launcher, dir: dir}
}

func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(f.Context(), limit)
	f.Cleanup(cancel)
	return ctx
}

// shell is a command that runs a script, in a folder of the test's.
func (f *fixture) shell(script string) proc.Command {
	return proc.Command{
		Path: "/bin/sh", Args: []string{"-c", script, f.dir}, Dir: f.dir, Log: filepath.Join(f.dir, "log"),
		Env: []string{"PATH=/usr/bin:/bin", "PLAIN=100% $HOME"},
	}
}

func (f *fixture) start(c proc.Command) *proc.Process {
	f.Helper()
	p, err := f.launcher.Start(f.ctx(), c, process.Ending{Signal: syscall.SIGINT, Limit: time.Second})
	require.NoError(f, err)
	f.Cleanup(func() {
		found, err := proc.FindByArgument(f.dir)
		require.NoError(f, err)
		require.NoError(f, proc.Kill(context.WithoutCancel(f.Context()), found...))
	})
	return p
}

func (f *fixture) wait(p *proc.Process) proc.Exit {
	f.Helper()
	exit, err := p.Wait(f.ctx())
	require.NoError(f, err)
	return exit
}

func (f *fixture) log() string {
	f.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "log"))
	require.NoError(f, err)
	return string(text)
}

func (f *fixture) findsWhatTheCommandSays() {
	f.wait(f.start(f.shell(`pwd; echo "$PLAIN|$1|" '$HOME %n ${PATH}'; cat`)))
	assert.Equal(f, f.dir+"\n100% $HOME|| $HOME %n ${PATH}\n", f.log())
}

func (f *fixture) runsAsItsUser() {
	if os.Geteuid() != 0 {
		f.Skip("only root starts processes of others")
	}
	c := f.shell("id -u; id -g")
	c.UID, c.GID = nobody, nobody
	f.wait(f.start(c))
	assert.Equal(f, "65534\n65534\n", f.log())
}

func (f *fixture) tellsExit() {
	assert.Equal(f, "exited with 7", f.wait(f.start(f.shell("sleep 0.1; exit 7"))).String())
}

func (f *fixture) tellsDeath() {
	p := f.start(f.shell("exec sleep 1000"))
	require.NoError(f, p.Signal(syscall.SIGKILL))
	assert.Equal(f, "killed by SIGKILL", f.wait(p).String())
}

func (f *fixture) addsToTheLog() {
	f.wait(f.start(f.shell("echo one; echo two >&2")))
	f.wait(f.start(f.shell("echo three")))
	assert.Equal(f, "one\ntwo\nthree\n", f.log())
	info, err := os.Stat(filepath.Join(f.dir, "log"))
	require.NoError(f, err)
	assert.Equal(f, os.FileMode(0o640), info.Mode())
}

func (f *fixture) refusesMissingProgram() {
	_, err := f.launcher.Start(f.ctx(), proc.Command{Path: "/does/not/exist", Dir: "/"}, process.Ending{Signal: syscall.SIGTERM})
	require.ErrorContains(f, err, "/does/not/exist")
	f.wait(f.start(f.shell("true")))
}

func (f *fixture) startsTheNext() {
	for range 3 {
		// What it started is gone with it, though it does not care for signals.
		p := f.start(f.shell(`trap "exit 0" TERM; : > up; while :; do sleep 0.01; done`))
		f.awaitFile("up")
		require.NoError(f, os.Remove(filepath.Join(f.dir, "up")))
		require.NoError(f, p.Signal(syscall.SIGTERM))
		f.wait(p)
	}
}

func (f *fixture) runsOnWhenReleased() {
	p := f.start(f.shell(`: > up; while :; do sleep 0.01; done`))
	f.awaitFile("up")
	p.Release()
	again, err := proc.Find(p.Record())
	require.NoError(f, err)
	require.NoError(f, proc.Kill(f.ctx(), again))
	f.wait(f.start(f.shell("true")))
}

func (f *fixture) endsAtOnce() {
	exit := f.wait(f.start(f.shell("exit 3")))
	assert.Equal(f, "exited with 3", exit.String())
}

func (f *fixture) isTheProgram() {
	f.wait(f.start(f.shell("echo $$ > pid; sleep 0.1")))
	p := f.start(f.shell("echo $$ > pid; exec sleep 1000"))
	f.awaitFile("pid")
	var own string
	for ctx := f.ctx(); own != strconv.Itoa(p.PID()) && pause.For(ctx, time.Millisecond); {
		text, err := os.ReadFile(filepath.Join(f.dir, "pid"))
		require.NoError(f, err)
		own = strings.TrimSpace(string(text))
	}
	assert.Equal(f, strconv.Itoa(p.PID()), own)
	require.NoError(f, proc.Kill(f.ctx(), p))
}

func (f *fixture) awaitFile(name string) {
	f.Helper()
	ctx := f.ctx()
	for {
		if _, err := os.Stat(filepath.Join(f.dir, name)); err == nil {
			return
		}
		require.True(f, pause.For(ctx, time.Millisecond), "%s was never made", name)
	}
}
