package dialect

import (
	"bytes"
	"net/http"

	"google.golang.org/protobuf/proto"

	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
)

// dms is the manner of Open Telekom Cloud's Distributed Message Service: {"error_code":…,"error_msg":…}.
type dms struct{}

// dmsCodes are DMS's codes by the reason that a service or this package gives.
var dmsCodes = map[string]string{
	reasonNoBody:              "DMS.00400004",
	reasonNotJSON:             "DMS.00400005",
	"BATCH_PARAMETER_INVALID": "DMS.00400062",
	"BATCH_ID_INVALID":        "DMS.00400061",
	"BATCH_ACTION_UNKNOWN":    "DMS.00400064",
	"BATCH_EMPTY":             "DMS.00400065",
	"BATCH_ID_REPEATED":       "DMS.00400082",
	"BATCH_TOO_LARGE":         "DMS.00400100",
}

// The codes of DMS that follow from an HTTP code alone.
const (
	dmsParameter     = "DMS.00400062"
	dmsTokenInvalid  = "DMS.10240101"
	dmsTokenMissing  = "DMS.10240103"
	dmsOtherProject  = "DMS.10240104"
	dmsNotAllowed    = "DMS.00403003"
	dmsNoRoute       = "DMS.00404001"
	dmsServerFailure = "DMS.00500000"
)

// reasonOtherProject marks a token of another project than the path's.
const reasonOtherProject = "WRONG_PROJECT"

// isDMS: only the POST is DMS's. With any other method "action" is an instance's id in Trove's dialect, which no
// instance can have.
func isDMS(method string, segments []string) bool {
	return method == http.MethodPost && len(segments) == 4 &&
		segments[0] == version && segments[2] == "instances" && segments[3] == actionSegment
}

// takesUntyped: its clients send no type with an empty body, and some with none at all.
func (dms) takesUntyped() bool { return true }

func (dms) fault(f *fault) (int, []byte) {
	code, errorCode := dmsCode(f)
	b := append([]byte(`{"error_code":`), appendText(nil, errorCode)...)
	b = append(b, `,"error_msg":`...)
	return code, append(appendText(b, f.message), '}')
}

func dmsCode(f *fault) (int, string) {
	if code, known := dmsCodes[f.reason]; known {
		return http.StatusBadRequest, code
	}
	switch {
	case f.reason == reasonOtherProject:
		return http.StatusUnauthorized, dmsOtherProject
	case f.code == http.StatusUnauthorized && f.noToken:
		return f.code, dmsTokenMissing
	case f.code == http.StatusUnauthorized:
		return f.code, dmsTokenInvalid
	case f.code == http.StatusForbidden:
		return f.code, dmsNotAllowed
	case f.code == http.StatusNotFound, f.code == http.StatusMethodNotAllowed:
		return f.code, dmsNoRoute
	case f.code < http.StatusInternalServerError:
		return f.code, dmsParameter
	}
	return f.code, dmsServerFailure
}

// wantBody refuses a batch that says nothing, which no other call minds.
func (d *Dialect) wantBody(x *exchange, r *http.Request) (*http.Request, *fault) {
	if _, batch := x.manner.(dms); batch && len(bytes.TrimSpace(x.payload.data)) == 0 {
		return nil, &fault{code: http.StatusBadRequest, reason: reasonNoBody, message: "The request body is empty."}
	}
	return r, nil
}

// noContent says whether an answer is DMS's 204: what allFailure did is not told.
func noContent(response proto.Message) bool {
	batch, ok := response.(*dmsv1.BatchRestartOrDeleteInstancesResponse)
	return ok && len(batch.GetResults()) == 0
}
