package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	ddmv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/ddm/v1"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
)

func TestEachAPISaysNoInItsOwnWay(t *testing.T) {
	for _, c := range []struct {
		kind     errs.Kind
		reason   string
		ddm, dms int
		ddmCode  string
		dmsCode  string
	}{
		{errs.Invalid, "X", 400, 400, "DBS.280001", "DMS.00400062"},
		{errs.Invalid, "BATCH_ACTION_UNKNOWN", 400, 400, "DBS.280001", "DMS.00400064"},
		{errs.Invalid, "BATCH_EMPTY", 400, 400, "DBS.280001", "DMS.00400065"},
		{errs.Invalid, "BATCH_ID_REPEATED", 400, 400, "DBS.280001", "DMS.00400082"},
		{errs.Invalid, "BATCH_TOO_LARGE", 400, 400, "DBS.280001", "DMS.00400100"},
		{errs.Invalid, "BATCH_ID_INVALID", 400, 400, "DBS.280001", "DMS.00400061"},
		{errs.NotFound, "NOT_FOUND", 404, 404, "DBS.200002", "DMS.00404001"},
		{errs.NotFound, "JOB_NOT_FOUND", 400, 404, "DBS.300400", "DMS.00404001"},
		{errs.Forbidden, "POLICY", 403, 403, "DBS.200044", "DMS.00403003"},
		{errs.WrongState, "WRONG_STATE", 409, 422, "DBS.200047", "DMS.00400062"},
		{errs.Conflict, "X", 409, 409, "DBS.200047", "DMS.00400062"},
		{errs.OverQuota, "X", 413, 413, "DBS.200046", "DMS.00400062"},
		{errs.Unsupported, "X", 400, 501, "DBS.300360", "DMS.00500000"},
		{errs.Unavailable, "X", 503, 503, "DBS.200412", "DMS.00500000"},
		{errs.Internal, "X", 500, 500, "DBS.200412", "DMS.00500000"},
	} {
		fake := cannedAPI()
		fake.fail = errs.New(c.kind, c.reason, "A sentence.")
		door := handler(t, fake)
		ddm := play(door, request(http.MethodPost, "/v1/"+project+"/instances/"+instanceID+"/action", `{}`))
		assert.Equal(t, c.ddm, ddm.Code, c.reason)
		assert.Contains(t, ddm.Body.String(), `{"errCode":"`+c.ddmCode+`","externalMessage":"`, c.reason)
		dms := play(door, request(http.MethodPost, inProject("/instances/action"), `{"action":"restart"}`))
		assert.Equal(t, c.dms, dms.Code, c.reason)
		assert.Contains(t, dms.Body.String(), `{"error_code":"`+c.dmsCode+`","error_msg":"`, c.reason)
	}
}

func TestABatchOfFailedCreatesTellsNothing(t *testing.T) {
	fake := cannedAPI()
	fake.answers[dmsv1.DMSService_BatchRestartOrDeleteInstances_FullMethodName] = &dmsv1.BatchRestartOrDeleteInstancesResponse{}
	answer := play(handler(t, fake), request(http.MethodPost, inProject("/instances/action"), `{"action":"delete","allFailure":"true"}`))
	assert.Equal(t, http.StatusNoContent, answer.Code)
	assert.Empty(t, answer.Body)
	assert.Empty(t, answer.Header().Get("Content-Type"))
}

func TestWhatARestartSaysReachesTheServiceAsItIs(t *testing.T) {
	for body, want := range map[string]string{
		``:                             "",
		`{}`:                           "",
		`{"restart":null}`:             `null_value`,
		`{"restart":{}}`:               `struct_value`,
		`{"restart":{"type":"hard"}}`:  `hard`,
		`{"restart":{"type":"HARD!"}}`: `HARD!`,
	} {
		fake := cannedAPI()
		answer := play(handler(t, fake), request(http.MethodPost, "/v1/"+project+"/instances/i09in09/action", body))
		assert.Equal(t, http.StatusOK, answer.Code, body)
		asked, ok := fake.requests[0].(*ddmv1.RestartInstanceRequest)
		if assert.True(t, ok) {
			assert.Equal(t, "i09in09", asked.GetInstanceId())
			assert.Contains(t, prototext.Format(asked), want)
		}
	}
}
