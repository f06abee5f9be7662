package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryVerbIsACallOfThePublicAPI(t *testing.T) {
	service := newCoffer(t)
	const (
		instance = "/v1.0/p/instances/" + shopID
		replica  = "/v1.0/p/instances/" + copyID
		managed  = "/v1.0/p/mgmt/instances/" + shopID
	)
	for line, calls := range map[string][]string{
		"instance restart shop --wait":                   {"POST " + instance + `/action {"restart":{}}`},
		"instance resize shop --flavor db.tiny":          {"POST " + instance + `/action {"resize":{"flavorRef":"1"}}`},
		"instance resize shop --size 4":                  {"POST " + instance + `/action {"resize":{"volume":{"size":4}}}`},
		"instance promote copy --wait":                   {"POST " + replica + `/action {"promote_to_replica_source":{}}`},
		"instance eject shop --watch":                    {"POST " + instance + `/action {"eject_replica_source":{}}`},
		"instance detach copy":                           {"PUT " + replica + ` {"instance":{"replica_of":null}}`},
		"instance rename shop store --wait":              {"PATCH " + instance + ` {"instance":{"name":"store"}}`},
		"instance upgrade shop --datastore-version 11.8": {"PATCH " + instance + ` {"instance":{"datastore_version":"11.8"}}`},
		"instance reset-status shop":                     {"POST " + instance + `/action {"reset_status":{}}`},
		"instance force-delete copy":                     {"POST " + replica + `/action {"reset_status":{"force_delete":true}}`, "DELETE " + replica},
		"instance create two --replica-of shop":          {`POST /v1.0/p/instances {"instance":{"name":"two","replica_of":"` + shopID + `"}}`},
		"instance create many --replica-of " + shopID + " --replica-count 2 --availability-zone z": {
			`POST /v1.0/p/instances {"instance":{"name":"many","availability_zone":"z","replica_of":"` + shopID + `","replica_count":2}}`,
		},
		"instance create x --flavor 1 --size 2 --locality affinity --nic-net n --nic-subnet s --nic-ip 10.0.0.9 --public --allowed-cidr 10.0.0.0/8": {
			`POST /v1.0/p/instances {"instance":{"name":"x","flavorRef":"1","volume":{"size":2},` +
				`"nics":[{"network_id":"n","subnet_id":"s","ip_address":"10.0.0.9"}],"locality":"affinity",` +
				`"access":{"is_public":true,"allowed_cidrs":["10.0.0.0/8"]}}}`,
		},
		"mgmt stop shop":                     {"POST " + managed + `/action {"stop":{}}`},
		"mgmt reboot shop --wait":            {"POST " + managed + `/action {"reboot":{}}`},
		"mgmt migrate shop --host h":         {"POST " + managed + `/action {"migrate":{"host":"h"}}`},
		"mgmt migrate shop":                  {"POST " + managed + `/action {"migrate":{}}`},
		"mgmt rebuild shop --image i":        {"POST " + managed + `/action {"rebuild":{"image_id":"i"}}`},
		"mgmt reset-task-status shop --wait": {"POST " + managed + `/action {"reset-task-status":{}}`},
		"task cancel " + taskID + " --wait":  {"DELETE /v1.0/p/tasks/" + taskID},
	} {
		service.heard = nil
		code, _, problems := run(t, strings.Fields(line)...)
		assert.Zero(t, code, "%s: %s", line, problems)
		assert.Equal(t, calls, service.heard, line)
	}
}

func TestWhatIsNotSaidOfTheAccessStays(t *testing.T) {
	service := newTrove(t)
	for _, flags := range [][]string{{"--no-public"}, {"--allowed-cidr", "10.0.0.0/8"}} {
		code, _, problems := run(t, append([]string{"instance", "access", "shop"}, flags...)...)
		require.Zero(t, code, problems)
	}
	assert.Equal(t, []string{
		"PUT /v1.0/p/instances/" + shopID + ` {"instance":{"access":{"is_public":false,"allowed_cidrs":["192.0.2.0/24"]}}}`,
		"PUT /v1.0/p/instances/" + shopID + ` {"instance":{"access":{"is_public":true,"allowed_cidrs":["10.0.0.0/8"]}}}`,
	}, service.heard)
}

func TestASetIsSeenInListsAndAlone(t *testing.T) {
	newTrove(t)
	code, said, problems := run(t, "instance", "list")
	require.Zero(t, code, problems)
	assert.Regexp(t, `shop .* source of 1`, said)
	assert.Regexp(t, `copy .* replica of shop +It does not follow\.`, said)
	code, said, problems = run(t, "instance", "show", "copy")
	require.Zero(t, code, problems)
	assert.Regexp(t, `(?m)^replica of +`+shopID+`$`, said)
	assert.Regexp(t, `(?m)^fault +It does not follow\.$`, said)
	_, said, _ = run(t, "instance", "show", "shop")
	assert.Regexp(t, `(?m)^replicas +`+copyID+`$`, said)
	assert.Regexp(t, `(?m)^access +public from 192\.0\.2\.0/24$`, said)
}

func TestWhatBelongsToAnInstanceIsListed(t *testing.T) {
	newTrove(t)
	_, said, problems := run(t, "instance", "backups", "shop")
	assert.Regexp(t, `b1 +nightly +COMPLETED`, said, problems)
	_, said, problems = run(t, "instance", "configuration", "shop")
	assert.Regexp(t, `(?s)innodb_buffer_pool_size +300M\nmax_connections +100\n`, said, problems)
	_, said, problems = run(t, "mgmt", "list", "-o", "json")
	assert.True(t, json.Valid([]byte(said)), problems)
}

func TestABatchTellsOfEach(t *testing.T) {
	service := newTrove(t)
	code, said, problems := run(t, "batch", "restart", "shop", copyID)
	assert.Equal(t, 1, code)
	assert.Regexp(t, shopID+` +SUCCESS`, said)
	assert.Regexp(t, copyID+` +FAILED`, said)
	assert.Contains(t, problems, "restart "+copyID+": refused")
	assert.Equal(t, []string{
		`POST /v1.0/p/instances/action {"action":"restart","instances":["` + shopID + `","` + copyID + `"]}`,
	}, service.heard)
}

func TestWhatWasNeverMadeIsDeletedWithoutATale(t *testing.T) {
	service := newTrove(t)
	code, _, problems := run(t, "batch", "delete", "--all-failed", "--wait")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "does not tell what it deletes")
	code, _, problems = run(t, "batch", "delete", "--all-failed", "shop")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "either instances are given, or --all-failed")
	assert.Empty(t, service.heard)
}

func TestADDMRefusalIsToldInItsOwnWords(t *testing.T) {
	newTrove(t)
	code, _, problems := run(t, "instance", "restart", "shop", "--hard")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "Instance is busy. (HTTP 409)")
}

func TestAReplicaTakesAfterItsSource(t *testing.T) {
	service := newTrove(t)
	for _, flag := range []string{"--flavor=1", "--size=1", "--datastore=mariadb", "--user=u", "--locality=affinity"} {
		code, _, problems := run(t, "instance", "create", "two", "--replica-of", "shop", flag)
		assert.Equal(t, 1, code)
		assert.Contains(t, problems, "cannot be given with --replica-of")
	}
	assert.Empty(t, service.heard)
}

func TestNamesOfInstancesAreCompleted(t *testing.T) {
	newTrove(t)
	for _, line := range []string{"instance promote", "batch restart shop", "instance create x --replica-of", "mgmt stop"} {
		code, said, problems := run(t, append(append([]string{"__complete"}, strings.Fields(line)...), "")...)
		require.Zero(t, code, problems)
		assert.Contains(t, said, "shop\n", line)
	}
	_, said, _ := run(t, "__complete", "instance", "promote", "shop", "")
	assert.NotContains(t, said, "copy")
}
