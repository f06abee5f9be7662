package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tries are lines of all families that change something.
var tries = []string{
	"instance create x --flavor 1 --size 1 --user u", "instance create x --replica-of shop", "instance restart shop",
	"instance restart shop --hard", "instance delete shop", "instance force-delete shop", "instance reset-status shop",
	"instance rename shop store", "instance resize shop --size 2", "instance upgrade shop --datastore-version 11.8",
	"instance access shop --public", "instance promote copy", "instance eject shop", "instance detach copy",
	"mgmt stop shop", "mgmt reboot shop", "mgmt migrate shop", "mgmt rebuild shop --image i", "mgmt reset-task-status shop",
	"batch restart shop", "batch delete shop",
}

func TestWhereThereAreNoDryRunsNothingIsTried(t *testing.T) {
	service := newTrove(t)
	for _, line := range tries {
		code, said, problems := run(t, append(strings.Fields(line), "--dry-run")...)
		assert.Equal(t, 1, code, line)
		assert.Contains(t, problems, "this service is not Coffer: it has no dry runs", line)
		assert.Empty(t, said, line)
	}
	assert.Empty(t, service.heard)
}

func TestEveryDryRunAsksForNothingElse(t *testing.T) {
	service := newCoffer(t)
	for _, line := range tries {
		service.heard = nil
		run(t, append(strings.Fields(line), "--dry-run", "--wait")...)
		if assert.Len(t, service.heard, 1, line) {
			assert.Contains(t, strings.Fields(service.heard[0])[1], "?dry_run=true", line)
		}
	}
}

func TestADryRunTellsThePlan(t *testing.T) {
	service := newCoffer(t)
	service.plan = `{"plan":{"action":"resize_volume","instance_id":"i","members":["m"],
		"steps":[{"name":"extend_volume","undoable":false}],"downtime":"None."}}`
	code, said, problems := run(t, "instance", "resize", "shop", "--size", "2", "--dry-run")
	require.Zero(t, code, problems)
	assert.Contains(t, problems, "nothing was changed")
	assert.Regexp(t, `concerns also +m\n`, said)
	assert.Regexp(t, `extend_volume +no\n`, said)
	code, said, problems = run(t, "instance", "resize", "shop", "--size", "2", "--dry-run", "-o", "json")
	require.Zero(t, code, problems)
	assert.True(t, json.Valid([]byte(said)), said)
}

func TestAnAnswerWithoutAPlanIsNotTakenForOne(t *testing.T) {
	newCoffer(t)
	code, _, problems := run(t, "instance", "create", "x", "--flavor", "1", "--size", "1", "--user", "u", "--dry-run")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "without a plan: see whether it did what it was asked for")
	assert.NotContains(t, problems, "password of u")
}
