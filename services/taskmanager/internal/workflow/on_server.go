package workflow

import (
	"context"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const (
	// firstLook and longestLook are the pauses between looks at a server whose guest is waited for; they double.
	firstLook   = time.Second
	longestLook = 8 * time.Second
	// secondLook is how long a server must be down to count as down: a provider that has just come up itself may be
	// about to start it.
	secondLook = time.Second
)

// reasonServerDown is the code of a task that failed because the machine is not there to do it.
const reasonServerDown = "SERVER_DOWN"

// onServer lets what talks to a guest fail as soon as the guest's server is known to be down, with the server's own
// fault, instead of calling until the step's time is over. A guest that is silent on a server that is up is waited for.
func (p Parts) onServer(do flow.Func) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		looking, found := context.WithCancelCause(ctx)
		var looks sync.WaitGroup
		looks.Go(func() { found(p.watchServer(looking, r.Instance.GetId())) })
		err := do(looking, r)
		if errs.IsKind(err, errs.Unavailable) && looking.Err() == nil {
			// The guest has broken off: what became of its server is known at once.
			if down := p.whyDown(looking, r.Instance.GetId()); down != nil {
				err = down
			}
		} else if down := context.Cause(looking); err != nil && errs.IsReason(down, reasonServerDown) {
			err = down
		}
		found(nil)
		looks.Wait()
		return err
	}
}

// watchServer returns when the server is down, and says so, or when ctx ends.
func (p Parts) watchServer(ctx context.Context, instanceID string) error {
	for wait := firstLook; ; wait = min(2*wait, longestLook) {
		if !pause.For(ctx, wait) {
			return context.Cause(ctx)
		}
		if down := p.whyDown(ctx, instanceID); down != nil {
			return down
		}
	}
}

// whyDown is nil when the server is up, or when the provider does not know.
func (p Parts) whyDown(ctx context.Context, instanceID string) error {
	if p.look(ctx, instanceID) == nil || !pause.For(ctx, secondLook) {
		return nil
	}
	return p.look(ctx, instanceID)
}

func (p Parts) look(ctx context.Context, instanceID string) error {
	server, err := p.Servers.Server(ctx, instanceID)
	switch {
	case errs.IsKind(err, errs.NotFound):
		return serverDown("The server is gone.")
	case err != nil:
		return nil //nolint:nilerr // what is not known is looked at again, and the step has its own end
	}
	switch status.Server(server.Status) {
	case status.ServerShutdown, status.ServerError:
		return serverDown(sentenceOf(server))
	default:
		return nil
	}
}

func sentenceOf(server step.Server) string {
	if server.Fault != "" {
		return "The server is down: " + server.Fault + "."
	}
	return "The server is down: neither its agent nor its database runs."
}

func serverDown(sentence string) error {
	return errs.New(errs.WrongState, reasonServerDown, "%s", sentence)
}
