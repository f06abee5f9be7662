package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// startServer does what switching a machine on does: volume in place, agent started. It does nothing to a server
// whose agent lives, and is refused with errOff for one that is switched off. The caller holds the instance's lock.
func (p *Provider) startServer(ctx context.Context, s serverFile) error {
	if s.Off {
		return errOff
	}
	agent, err := p.findAgent(s.InstanceID)
	if err == nil {
		agent.Release()
		return nil
	}
	if !errors.Is(err, proc.ErrGone) {
		return err
	}
	if err := p.attachVolume(s.InstanceID); err != nil {
		return err
	}
	// A database that outlived its agent holds its port by right.
	strays, err := p.findProcesses(s.InstanceID)
	release(strays)
	if err == nil && len(strays) == 0 {
		err = p.probeServer(ctx, s)
	}
	if err != nil {
		return err
	}
	return p.launch(s)
}

// launch starts the agent within the server's bounds.
func (p *Provider) launch(s serverFile) error {
	if err := p.cgroups.make(s.InstanceID, s.MemoryBytes); err != nil {
		return err
	}
	return p.startAgent(s)
}

// probeServer asks for the server's ports before an agent fails for want of them.
func (p *Provider) probeServer(ctx context.Context, s serverFile) error {
	ip, err := netip.ParseAddr(s.Address)
	if err != nil {
		return err
	}
	return p.probeAddress(ctx, ip)
}

func (p *Provider) startAgent(s serverFile) error {
	home := p.folder.server(s.InstanceID)
	agent, err := proc.Start(proc.Command{
		Path: p.guestAgent,
		Args: []string{"serve", "--dir", home},
		Env:  agentEnvironment(),
		Dir:  home,
		Log:  filepath.Join(home, "log", "agent.log"),
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return noGuestAgent(err)
	}
	if err != nil {
		return err
	}
	p.children.add(agent)
	// Without record or control group the agent is found by its command line.
	if err := p.cgroups.add(s.InstanceID, agent.PID()); err != nil {
		return err
	}
	return agent.Record().Save(p.folder.agentRecord(s.InstanceID))
}

// agentEnvironment keeps the control plane's own settings, which may hold secrets, out of the agents.
func agentEnvironment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	for _, name := range []string{"TZ", "TMPDIR"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// findAgent finds the server's agent by its record, or one whose starter died before it could write the record.
// proc.ErrGone: there is none.
func (p *Provider) findAgent(instanceID string) (*proc.Process, error) {
	agent, err := p.recordedAgent(instanceID)
	if !errors.Is(err, proc.ErrGone) {
		return agent, err
	}
	found, err := proc.FindByArgument(p.folder.server(instanceID))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, proc.ErrGone
	}
	release(found[1:])
	if err := found[0].Record().Save(p.folder.agentRecord(instanceID)); err != nil {
		found[0].Release()
		return nil, err
	}
	return found[0], nil
}

func (p *Provider) recordedAgent(instanceID string) (*proc.Process, error) {
	record, err := proc.Load(p.folder.agentRecord(instanceID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, proc.ErrGone
	}
	if err != nil {
		return nil, err
	}
	return proc.Find(record)
}

func (p *Provider) serverLives(instanceID string) (bool, error) {
	agent, err := p.recordedAgent(instanceID)
	if err == nil {
		agent.Release()
		return true, nil
	}
	if !errors.Is(err, proc.ErrGone) {
		return false, err
	}
	found, err := p.findProcesses(instanceID)
	release(found)
	return len(found) > 0, err
}

// findProcesses finds all that runs in a server, whether or not anything recorded it: its processes work within its
// folder or its volume, and the instance's id stands on their command line. Both are asked for, so that no shell
// or pager that somebody left there is taken for one.
func (p *Provider) findProcesses(instanceID string) ([]*proc.Process, error) {
	found, err := proc.FindWhere(func(pid int) bool { return p.worksIn(pid, instanceID) })
	if err != nil {
		release(found)
		return nil, err
	}
	return found, nil
}

func (p *Provider) worksIn(pid int, instanceID string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil || !within(cwd, p.folder.server(instanceID)) && !within(cwd, p.folder.volume(instanceID)) {
		return false
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(line), "/"+instanceID)
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/") || path == dir+" (deleted)"
}

// killServer ends every process of the server at once, as pulling a machine's plug would. It looks until it finds
// none, because what dies may have started another one just before.
func (p *Provider) killServer(ctx context.Context, instanceID string) error {
	if err := p.cgroups.kill(instanceID); err != nil {
		return err
	}
	for {
		found, err := p.processes(instanceID)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return p.cgroups.remove(ctx, instanceID)
		}
		err = proc.Kill(ctx, found...)
		release(found)
		if err != nil {
			return err
		}
	}
}

// processes are the recorded agent and all that findProcesses finds.
func (p *Provider) processes(instanceID string) ([]*proc.Process, error) {
	found, err := p.findProcesses(instanceID)
	if err != nil {
		return nil, err
	}
	agent, err := p.recordedAgent(instanceID)
	if errors.Is(err, proc.ErrGone) {
		return found, nil
	}
	if err != nil {
		release(found)
		return nil, err
	}
	return append(found, agent), nil
}

// stopServer shuts the machine down: the agent stops its database and ends. What has not ended by the limit is
// killed. The caller holds the instance's lock.
func (p *Provider) stopServer(ctx context.Context, instanceID string) error {
	if err := p.shutDown(ctx, instanceID); err != nil && !errors.Is(err, errStopLimit) {
		return err
	} else if err != nil {
		p.log.Warn("the server did not stop in time and is killed", "instance_id", instanceID, "limit", p.cfg.StopLimit)
	}
	if err := p.killServer(ctx, instanceID); err != nil {
		return err
	}
	return p.detachVolume(ctx, instanceID)
}

var errStopLimit = errors.New("the server did not stop in time")

// shutDown asks the agent (SIGPWR), and then whatever is left (SIGTERM), such as a database without an agent.
func (p *Provider) shutDown(ctx context.Context, instanceID string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.cfg.StopLimit, errStopLimit)
	defer cancel()
	agent, err := p.findAgent(instanceID)
	if err == nil {
		err = end(ctx, syscall.SIGPWR, agent)
	}
	if err != nil && !errors.Is(err, proc.ErrGone) {
		return err
	}
	left, err := p.findProcesses(instanceID)
	if err != nil {
		return err
	}
	return end(ctx, unix.SIGTERM, left...)
}

// signalAgain is the pause after which a process that goes on is told once more: one that has only just begun may not have
// been listening.
const signalAgain = time.Second

// end signals the processes, waits for their ends and releases them.
func end(ctx context.Context, signal syscall.Signal, processes ...*proc.Process) error {
	defer release(processes)
	for _, process := range processes {
		if err := process.Signal(signal); err != nil && !errors.Is(err, proc.ErrGone) {
			return err
		}
	}
	for _, process := range processes {
		if err := awaitEnd(ctx, signal, process); err != nil {
			return err
		}
	}
	return nil
}

func awaitEnd(ctx context.Context, signal syscall.Signal, process *proc.Process) error {
	again := time.NewTicker(signalAgain)
	defer again.Stop()
	for {
		select {
		case <-process.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again.C:
			if err := process.Signal(signal); err != nil && !errors.Is(err, proc.ErrGone) {
				return err
			}
		}
	}
}

func release(processes []*proc.Process) {
	for _, process := range processes {
		process.Release()
	}
}
