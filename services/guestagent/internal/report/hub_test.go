package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

func TestAWatcherGetsEveryChangeInOrder(t *testing.T) {
	h := report.NewHub(report.Status{Service: status.ServiceNew})
	first := h.Latest()
	_, changed := h.After(first.Sequence)
	for _, service := range []status.Service{status.ServiceBuilding, status.ServiceBuilding, status.ServiceHealthy} {
		h.Update(func(s *report.Status) { s.Service = service })
	}
	<-changed
	reports, changed := h.After(first.Sequence)
	assert.Equal(t, []report.Report{
		{Status: report.Status{Service: status.ServiceBuilding}, Sequence: 2},
		{Status: report.Status{Service: status.ServiceHealthy}, Sequence: 3},
	}, reports)

	h.Repeat()
	<-changed
	reports, _ = h.After(3)
	assert.Equal(t, []report.Report{{Status: report.Status{Service: status.ServiceHealthy}, Sequence: 4}}, reports)
}

func TestALateWatcherGetsWhatIsStillKept(t *testing.T) {
	h := report.NewHub(report.Status{})
	for range 1000 {
		h.Repeat()
	}
	reports, _ := h.After(1)
	assert.Len(t, reports, 64)
	assert.EqualValues(t, 1001, reports[63].Sequence)
}

func TestEachLifeHasANameOfItsOwn(t *testing.T) {
	first, second := report.NewHub(report.Status{}), report.NewHub(report.Status{})
	assert.NotEqual(t, first.Life, second.Life)
}
