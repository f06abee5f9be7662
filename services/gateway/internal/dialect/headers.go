package dialect

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Headers of Trove's wire and of ours, in net/http's canonical spelling.
const (
	headerToken            = "X-Auth-Token" //nolint:gosec // The name of a header, not a credential.
	headerServiceToken     = "X-Service-Token"
	headerRequestID        = "X-Openstack-Request-Id"
	headerComputeRequestID = "X-Compute-Request-Id"
	headerTaskID           = "Coffer-Task-Id"
	headerIdempotencyKey   = "Idempotency-Key"
	headerDryRun           = "Coffer-Dry-Run"
	// headerBatchDetails asks for more than DMS tells of each instance of a batch.
	headerBatchDetails = "Coffer-Batch-Details"
)

// incoming says under which metadata key a service sees a header. All others stay outside: above all
// Grpc-Metadata-…, X-Project-Id and X-Roles, by which a client could name its own project and roles.
func incoming(header string) (string, bool) {
	switch header {
	case headerToken:
		return "x-auth-token", true
	case headerServiceToken:
		return "x-service-token", true
	case headerRequestID:
		return "x-request-id", true
	case headerIdempotencyKey:
		return "idempotency-key", true
	case headerDryRun:
		return "coffer-dry-run", true
	case headerBatchDetails:
		return "coffer-batch-details", true
	case "Traceparent":
		return "traceparent", true
	case "Tracestate":
		return "tracestate", true
	}
	return "", false
}

// outgoing says as which header a service's answer metadata leaves: our own, and when to come back.
func outgoing(key string) (string, bool) {
	return key, key == "retry-after" || strings.HasPrefix(key, "coffer-")
}

// noteDryRun turns the query of a dry run into a header, because the body alone makes an RPC's message.
func (d *Dialect) noteDryRun(x *exchange, r *http.Request) (*http.Request, *fault) {
	given := x.request.URL.Query()["dry_run"]
	if r.Method == http.MethodGet || len(given) == 0 {
		return r, nil
	}
	wanted, err := strconv.ParseBool(strings.ToLower(given[len(given)-1]))
	if err != nil {
		return nil, badRequest("The query parameter dry_run is true or false.")
	}
	r.Header.Set(headerDryRun, strconv.FormatBool(wanted))
	return r, nil
}

// clean takes from a request what the mux would act on although it is not Trove's: a deadline, credentials of another
// kind, and trailers.
func clean(header http.Header) {
	delete(header, "Grpc-Timeout")
	delete(header, "Authorization")
	delete(header, "Te")
}

const requestIDPrefix = "req-"

// requestID is the client's own, if it has the form that OpenStack gives to it, else a new one.
func requestID(header http.Header) string {
	if given := header.Get(headerRequestID); given != "" {
		if id, ok := strings.CutPrefix(given, requestIDPrefix); ok && len(id) == 36 && uuid.Validate(id) == nil {
			return given
		}
	}
	return requestIDPrefix + uuid.NewString()
}
