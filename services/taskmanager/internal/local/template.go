package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// templates are data directories as they are after their very first start, one per exact version, from which the
// agents clone. They are made beside the start of the control plane; making a server waits for its own.
type templates struct {
	dir        string
	locks      locks
	guestAgent string
	offers     *offers
	limit      time.Duration
	log        *slog.Logger
}

func (t *templates) path(manager, version string) string {
	return filepath.Join(t.dir, manager+"-"+version)
}

// exists: the agent renames a template into its place when it is complete.
func (t *templates) exists(manager, version string) bool {
	_, err := os.Stat(t.path(manager, version))
	return err == nil
}

// makeAll makes the templates that are missing. What fails here is tried again by the server that wants it.
func (t *templates) makeAll(ctx context.Context) {
	found, err := t.offers.look(ctx)
	if err != nil && ctx.Err() == nil {
		t.log.Warn("a database server on this host cannot be used", "error", err)
	}
	for _, d := range found {
		err := t.await(ctx, d.manager, d.version)
		if err != nil && ctx.Err() == nil {
			t.log.Warn("no template could be made", "datastore", d.manager, "version", d.version, "error", err)
		}
	}
}

// await returns when the template is there, which it makes if nobody else does, and it is known where its programs are.
func (t *templates) await(ctx context.Context, manager, version string) error {
	if _, known := t.offers.place(manager, version); known && t.exists(manager, version) {
		return nil
	}
	tooLong := errs.New(errs.Unavailable, "TEMPLATE", "The template of %s %s was not ready within %s.", manager, version, t.limit)
	ctx, cancel := context.WithTimeoutCause(ctx, t.limit, tooLong)
	defer cancel()
	release, err := t.locks.templates(ctx)
	if err != nil {
		return err
	}
	defer release()
	at, err := t.find(ctx, manager, version)
	if err != nil || t.exists(manager, version) {
		return err
	}
	return t.make(ctx, manager, version, at)
}

// find says where the version is now.
func (t *templates) find(ctx context.Context, manager, version string) (place, error) {
	kind, known := dbserver.Of(manager)
	if !known {
		return place{}, noDatastore(manager)
	}
	now, err := t.offers.of(ctx, kind)
	var others []string
	for _, found := range now {
		if found.version == version {
			return found.at, nil
		}
		others = append(others, found.version)
	}
	switch {
	case len(others) > 0:
		return place{}, errs.New(errs.Internal, "ENGINE_CHANGED",
			"This host has %s %s now, no longer %s; a restart of Coffer offers it.", manager, strings.Join(others, " and "), version)
	case err != nil:
		return place{}, errs.New(errs.Internal, "ENGINE_BROKEN", "The database server %s on this host does not answer.",
			manager).Because(err)
	}
	return place{}, errs.New(errs.Internal, "NO_ENGINE", "The database server %s is not installed on this host.", manager)
}

func (t *templates) make(ctx context.Context, manager, version string, at place) error {
	began := time.Now()
	args := append([]string{"make-template", "--manager", manager, "--version", version, "--dir", t.dir}, at.arguments()...)
	cmd := exec.CommandContext(ctx, t.guestAgent, args...)
	cmd.Env = agentEnvironment()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// It starts a database for a moment; both end together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return noGuestAgent(err)
	}
	if err == nil && !t.exists(manager, version) {
		err = errors.New("it said nothing, and made nothing")
	}
	if err != nil {
		return errs.New(errs.Internal, "TEMPLATE", "The template of %s %s could not be made: %v: %s",
			manager, version, err, lastLine(output.Bytes())).Because(fmt.Errorf("make-template: %w: %s", err, output.Bytes()))
	}
	t.log.Info("made a template", "datastore", manager, "version", version, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// lastLine is where a program says what went wrong.
func lastLine(output []byte) []byte {
	output = bytes.TrimSpace(output)
	return output[bytes.LastIndexByte(output, '\n')+1:]
}

func noGuestAgent(err error) error {
	return errs.New(errs.Internal, "NO_GUEST_AGENT",
		"The guest agent's program cannot be started on this host; see local.guestagent.").Because(err)
}
