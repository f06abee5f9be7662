package local

import (
	"context"
	"errors"
	"io/fs"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// errOff is what is answered of a server that is switched off, until it is switched on.
var errOff = errs.New(errs.WrongState, "SERVER_OFF", "The server is switched off.")

// StopServer kills the server and keeps it from ever being started, which is written first: from then on no provider
// of the folder starts it, whatever becomes of this one.
func (p *Provider) StopServer(ctx context.Context, instanceID string) error {
	release, s, err := p.holdServer(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	s.Off = true
	err = writeJSON(p.folder.serverFile(instanceID), s)
	if err == nil {
		err = p.killServer(ctx, instanceID)
	}
	if err == nil {
		err = p.detachIdle(ctx, instanceID)
	}
	if err != nil {
		return hostFailure("SERVER", "The server could not be stopped", err)
	}
	return nil
}

// StartServer switches the server on.
func (p *Provider) StartServer(ctx context.Context, instanceID string) (step.Server, error) {
	release, s, err := p.holdServer(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()
	if s.Off {
		s.Off = false
		if err := writeJSON(p.folder.serverFile(instanceID), s); err != nil {
			return step.Server{}, hostFailure("SERVER", "The server could not be switched on", err)
		}
	}
	return p.running(ctx, s)
}

// RebootServer does what a machine's reset button does, or its operating system's shutdown and a start.
func (p *Provider) RebootServer(ctx context.Context, instanceID string, hard bool) (step.Server, error) {
	release, s, err := p.holdServer(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()
	if s.Off {
		return step.Server{}, errOff
	}
	stop := p.stopServer
	if hard {
		stop = p.killServer
	}
	if err := stop(ctx, instanceID); err != nil {
		return step.Server{}, hostFailure("SERVER", "The server could not be stopped", err)
	}
	return p.running(ctx, s)
}

// holdServer locks an instance and reads its server.
func (p *Provider) holdServer(ctx context.Context, instanceID string) (release func(), s serverFile, err error) {
	release, err = p.folder.locks.instance(ctx, instanceID)
	if err != nil {
		return nil, s, err
	}
	s, err = p.folder.readServer(instanceID)
	if err == nil {
		return release, s, nil
	}
	release()
	if errors.Is(err, fs.ErrNotExist) {
		err = errs.New(errs.NotFound, "SERVER", "The instance has no server.").Because(err)
	}
	return nil, s, err
}

// running starts the server if it does not run.
func (p *Provider) running(ctx context.Context, s serverFile) (step.Server, error) {
	if err := p.startServer(ctx, s); err != nil {
		return step.Server{}, hostFailure("SERVER", "The server could not be started", err)
	}
	p.supervisor.serverMade()
	return s.asServer(status.ServerActive), nil
}

// detachIdle unmounts the volume of a server that does not run, unless a program that is none of the server's stands in
// it: then it stays mounted for the moment, which harms nobody.
func (p *Provider) detachIdle(ctx context.Context, instanceID string) error {
	err := p.detachVolume(ctx, instanceID)
	if errors.Is(err, errBusy) {
		p.log.Warn("a program stands in the volume of a server that does not run; it stays mounted", "instance_id", instanceID)
		return nil
	}
	return err
}
