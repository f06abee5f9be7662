package process

import (
	"errors"
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// find is nil when the database does not run.
func find(record proc.Record, mark string) (*proc.Process, error) {
	process, err := proc.Find(record)
	if !errors.Is(err, proc.ErrGone) {
		return process, err
	}
	found, err := proc.FindByArgument(mark)
	if err == nil && len(found) > 1 {
		err = fmt.Errorf("%d processes have %s on their command line", len(found), mark)
	}
	if err != nil {
		for _, p := range found {
			p.Release()
		}
		return nil, err
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// The words of trove/instance/service_status.py for the states of a process.
const (
	shutdown = status.ServiceShutdown
	crashed  = status.ServiceCrashed
	running  = status.ServiceRunning
	healthy  = status.ServiceHealthy
)

func (l *Loop) say(service status.Service, message string) {
	l.Hub.Update(func(s *report.Status) {
		s.Service, s.Message, s.Starts, s.PID = service, message, l.state.Starts, 0
		if l.process != nil {
			s.PID = l.process.PID()
		}
	})
}

// sayRest tells of a database that does not run.
func (l *Loop) sayRest() {
	l.say(shutdown, "")
}
