package cli

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

func TestProgressIsALineForEachChange(t *testing.T) {
	var written strings.Builder
	progress := newProgress(&written, format{name: "table"})
	for _, task := range []client.Task{
		{Action: "create_instance", Status: "QUEUED"},
		{Action: "create_instance", Status: "RUNNING", Steps: []client.Step{
			{Name: "create_volume", Status: "RUNNING", Attempt: 1}, {Name: "create_server", Status: "PENDING"},
		}},
		{Action: "create_instance", Status: "RUNNING", Steps: []client.Step{
			{Name: "create_volume", Status: "SUCCEEDED", Message: "copying"}, {Name: "create_server", Status: "RUNNING"},
		}},
		{Action: "create_instance", Status: "FAILED", Error: &struct {
			Code    string `json:"code"`
			Step    string `json:"step"`
			Message string `json:"message"`
		}{Message: "no space left"}, Steps: []client.Step{
			{Name: "create_volume", Status: "UNDONE"}, {Name: "create_server", Status: "FAILED", Message: "no space left"},
		}},
	} {
		progress.show(task)
		progress.show(task)
	}
	progress.end()
	words := regexp.MustCompile(`(?m)^[0-9:]+ +`).ReplaceAllString(written.String(), "")
	assert.Equal(t, []string{
		"create_instance QUEUED",
		"create_instance RUNNING",
		"create_volume RUNNING",
		"create_volume SUCCEEDED",
		"create_server RUNNING",
		"create_volume UNDONE",
		"create_server FAILED no space left",
		"create_instance FAILED no space left",
	}, strings.Split(regexp.MustCompile(` +`).ReplaceAllString(strings.TrimSpace(words), " "), "\n"))
}

func TestScriptsGetNoProgress(t *testing.T) {
	var written strings.Builder
	progress := newProgress(&written, format{name: "json"})
	progress.show(client.Task{Action: "create_instance", Status: "RUNNING"})
	progress.end()
	assert.Empty(t, written.String())
}

func TestTheLineThatConnectsIsTheEnginesOwn(t *testing.T) {
	of := func(engine string) client.Instance {
		i := client.Instance{IP: []string{"127.9.9.9"}}
		i.Datastore.Type = engine
		return i
	}
	assert.Equal(t, "mariadb -h 127.9.9.9 -u keeper -p shop", connectLine(of("mariadb"), "keeper", "shop"))
	assert.Equal(t, "mysql -h 127.9.9.9 -u USER -p", connectLine(of("mysql"), "", ""))
	assert.Equal(t, "psql -h 127.9.9.9 -U USER DATABASE", connectLine(of("postgresql"), "", ""))
	assert.Empty(t, connectLine(of("redis"), "", ""))
	assert.Empty(t, connectLine(client.Instance{}, "", ""))
}
