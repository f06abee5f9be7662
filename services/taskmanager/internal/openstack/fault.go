package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// The services, as sentences name them.
const (
	nova    = "Nova"
	cinder  = "Cinder"
	neutron = "Neutron"
	glance  = "Glance"
)

// fault classes an error of gophercloud's by what can be done about it. Unavailable passes: an outage, a busy resource, a
// rate limit, a token that has ended. OverQuota names the limit. All else is final. The sentence is the service's own.
func fault(service, doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return errs.New(errs.Unavailable, reasonLeft, "%s was no longer waited for to: %s.", service, doing).Because(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		// As text, so that a call's own limit is not taken for the end of the step's time.
		return errs.New(errs.Unavailable, "OPENSTACK_SLOW", "%s did not answer in time to: %s.", service, doing).Because(errors.New(err.Error()))
	}
	var answer gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &answer) {
		// No answer at all: the network, a service that is not there, or a login that failed for one of these reasons.
		return errs.New(errs.Unavailable, "OPENSTACK_AWAY", "%s could not be asked to: %s.", service, doing).Because(err)
	}
	said := saidIn(answer.Body)
	kind, reason := class(answer, said)
	sentence := said.message
	if sentence == "" {
		sentence = http.StatusText(answer.Actual)
	}
	return errs.New(kind, reason, "%s (%d) on %s: %s", service, answer.Actual, doing, closed(sentence)).Because(err)
}

func class(answer gophercloud.ErrUnexpectedResponseCode, said said) (errs.Kind, string) {
	switch code := answer.Actual; {
	case code == http.StatusNotFound:
		return errs.NotFound, "OPENSTACK_NOT_FOUND"
	// Nova and Cinder say it with 403 or 413, Neutron with 409.
	case said.quota() && (code == http.StatusForbidden || code == http.StatusConflict || code == http.StatusRequestEntityTooLarge):
		return errs.OverQuota, "OPENSTACK_QUOTA"
	case code == http.StatusBadRequest, code == http.StatusUnprocessableEntity:
		return errs.Invalid, "OPENSTACK_REFUSED"
	case code == http.StatusForbidden:
		return errs.Forbidden, "OPENSTACK_FORBIDDEN"
	case code == http.StatusConflict && strings.HasPrefix(said.kind, "IpAddress"):
		return errs.Conflict, "OPENSTACK_ADDRESS_IN_USE"
	// 401 is a token that ended while gophercloud was renewing it, or a Keystone that cannot tell; 409 something that is
	// busy with something else.
	case code == http.StatusUnauthorized, code == http.StatusConflict, code == http.StatusRequestTimeout,
		code == http.StatusRequestEntityTooLarge, code == http.StatusTooManyRequests, code >= http.StatusInternalServerError:
		return errs.Unavailable, "OPENSTACK_UNAVAILABLE"
	default:
		return errs.Internal, "OPENSTACK_REFUSED"
	}
}

// said is what a service's answer says of its error.
type said struct {
	// kind is Neutron's name of the exception.
	kind    string
	message string
}

// saidIn reads {"badRequest": {"message": …}} of Nova, Cinder and Keystone, {"NeutronError": {"type": …, "message": …}}, and
// Neutron's older {"NeutronError": "…"}.
func saidIn(body []byte) said {
	var wrapped map[string]json.RawMessage
	if json.Unmarshal(body, &wrapped) != nil {
		return said{}
	}
	for _, inner := range wrapped {
		var full struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}
		if json.Unmarshal(inner, &full) == nil && full.Message != "" {
			return said{kind: full.Type, message: full.Message}
		}
		var plain string
		if json.Unmarshal(inner, &plain) == nil && plain != "" {
			return said{message: plain}
		}
	}
	return said{}
}

func (s said) quota() bool {
	text := strings.ToLower(s.kind + " " + s.message)
	for _, word := range []string{"quota", "exceed", "no more ip addresses", "ipaddressgenerationfailure"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// closed is a sentence with its end.
func closed(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// orGone takes what is not there for done.
func orGone(err error) error {
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	return err
}
