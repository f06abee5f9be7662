package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/gophercloud/gophercloud/v2"
)

// Error is a refusal in the service's own words.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (HTTP %d)", e.Message, e.Code) }

// IsNotFound says whether what was asked for does not exist.
func IsNotFound(err error) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Code == http.StatusNotFound
}

// Explain takes the sentence out of a fault.
func Explain(err error) error {
	var refused gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &refused) {
		return explainSilence(err)
	}
	said := cmp.Or(sentence(refused.Body), strings.TrimSpace(string(refused.Body)), http.StatusText(refused.Actual))
	return &Error{Code: refused.Actual, Message: said}
}

// sentence is what a fault says. Trove's {"itemNotFound": {"message"}} and Keystone's {"error": {"message"}} have the
// same shape; DDM and DMS say it beside a code of theirs.
func sentence(body []byte) string {
	var fault map[string]json.RawMessage
	if json.Unmarshal(body, &fault) != nil {
		return ""
	}
	for _, key := range []string{"externalMessage", "error_msg"} {
		var said string
		if json.Unmarshal(fault[key], &said) == nil && said != "" {
			return said
		}
	}
	for _, told := range fault {
		var within struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(told, &within) == nil && within.Message != "" {
			return within.Message
		}
	}
	return ""
}

// explainSilence says of a service that did not answer what its user can do.
func explainSilence(err error) error {
	var silent *url.Error
	if !errors.As(err, &silent) || errors.Is(err, context.Canceled) {
		return err
	}
	host := silent.URL
	if parsed, err := url.Parse(silent.URL); err == nil {
		host = parsed.Host
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens on %s: is the service running? (%w)", host, silent.Err)
	}
	return fmt.Errorf("%s does not answer: %w", host, silent.Err)
}
