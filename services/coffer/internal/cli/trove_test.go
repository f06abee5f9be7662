package cli_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstancesOfAnyTroveAreListedAndShown(t *testing.T) {
	newTrove(t)
	code, said, problems := run(t, "instance", "list")
	require.Zero(t, code, problems)
	assert.Contains(t, said, shopID)

	code, said, problems = run(t, "instance", "show", "shop")
	require.Zero(t, code, problems)
	assert.Contains(t, said, "mariadb -h 10.0.0.5 -u USER -p\n")

	code, said, problems = run(t, "instance", "show", "shop", "-o", "json")
	require.Zero(t, code, problems)
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(said), &shown))
	assert.Equal(t, "shop", shown["name"])
}

func TestWaitingWorksWithoutTasks(t *testing.T) {
	service := newTrove(t)
	code, said, problems := run(t, "instance", "create", "shop", "--flavor", "db.tiny", "--size", "1", "--wait")
	require.Zero(t, code, problems)
	assert.Contains(t, said, "ACTIVE")
	code, _, problems = run(t, "instance", "restart", "shop", "--wait")
	require.Zero(t, code, problems)
	assert.Equal(t, []string{
		`POST /v1.0/p/instances {"instance":{"name":"shop","flavorRef":"1","volume":{"size":1}}}`,
		`POST /v1.0/p/instances/` + shopID + `/action {"restart":{}}`,
	}, service.heard)
}

func TestARefusalIsToldInTheServicesOwnWords(t *testing.T) {
	newTrove(t)
	code, _, problems := run(t, "instance", "delete", "shop")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "Instance is protected. (HTTP 422)")

	code, _, problems = run(t, "instance", "create", "x", "--flavor", "db.huge", "--size", "1")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, `no flavor has the id or the name "db.huge"`)
}

func TestAMadeUpPasswordIsToldBesideTheAnswer(t *testing.T) {
	newTrove(t)
	code, said, problems := run(t, "instance", "create", "shop", "--flavor", "1", "--size", "1", "--user", "keeper", "-o", "json")
	require.Zero(t, code)
	assert.Contains(t, problems, "password of keeper: ")
	assert.True(t, json.Valid([]byte(said)), said)
}
