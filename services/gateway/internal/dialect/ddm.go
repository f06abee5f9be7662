package dialect

import "net/http"

// ddm is the manner of Huawei Cloud's Distributed Database Middleware: {"errCode":…,"externalMessage":…}. The codes are
// of its own table, and where that has none, of its family (RDS, DDS).
type ddm struct{}

// The codes of DDM.
const (
	ddmParameter     = "DBS.280001"
	ddmServerFailure = "DBS.200412"
	ddmNoTask        = "DBS.300400"
	ddmNotProcessed  = "DBS.300005"
	ddmNotSupported  = "DBS.300360"
	ddmNoInstance    = "DBS.200002"
	ddmNotSignedIn   = "DBS.200010"
	ddmNotAllowed    = "DBS.200044"
	ddmBusy          = "DBS.200047"
	ddmOverLimit     = "DBS.200046"
)

// reasonNoJob marks a job that is not there: DDM answers 400, where all others say 404.
const reasonNoJob = "JOB_NOT_FOUND"

func isDDM(segments []string) bool { return segments[0] == "v1" || segments[0] == "v3" }

// takesUntyped: its clients send no type with an empty body, and some with none at all.
func (ddm) takesUntyped() bool { return true }

func (ddm) fault(f *fault) (int, []byte) {
	code, errCode := ddmCode(f)
	b := append([]byte(`{"errCode":`), appendText(nil, errCode)...)
	b = append(b, `,"externalMessage":`...)
	return code, append(appendText(b, f.message), '}')
}

func ddmCode(f *fault) (int, string) {
	if f.reason == reasonNoJob {
		return http.StatusBadRequest, ddmNoTask
	}
	switch f.code {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		return f.code, ddmParameter
	case http.StatusUnauthorized:
		return f.code, ddmNotSignedIn
	case http.StatusForbidden:
		return f.code, ddmNotAllowed
	case http.StatusNotFound:
		if f.noRoute {
			return f.code, ddmNotProcessed
		}
		return f.code, ddmNoInstance
	case http.StatusMethodNotAllowed:
		return f.code, ddmNotProcessed
	case http.StatusUnprocessableEntity, http.StatusConflict:
		return http.StatusConflict, ddmBusy
	case http.StatusRequestEntityTooLarge:
		return f.code, ddmOverLimit
	case http.StatusNotImplemented:
		return http.StatusBadRequest, ddmNotSupported
	}
	return f.code, ddmServerFailure
}
