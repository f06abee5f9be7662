package keystone

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

const (
	// healthRecheck is for how long the last answer tells whether Keystone can be asked.
	healthRecheck = 5 * time.Second
	// forbiddenRecheck is the same after it did not let us: that is seen only when somebody's token is checked.
	forbiddenRecheck = time.Minute
	// healthLimit bounds a question that is asked for no other reason.
	healthLimit = 5 * time.Second
)

// health remembers how the last question to Keystone ended. It logs when that changes, not each time.
type health struct {
	now    func() time.Time
	logger *slog.Logger

	mu   sync.Mutex
	last error
	at   time.Time
}

// note is told how a question ended: nil when Keystone told, whatever it told.
func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, first := h.last, h.at.IsZero()
	h.last, h.at = err, h.now()
	switch {
	case err != nil && !sameCause(before, err):
		h.logger.Error("tokens cannot be checked: calls with tokens that are not remembered are answered with 503", "error", err)
	case err == nil && (before != nil || first):
		h.logger.Info("Keystone checks tokens")
	}
}

func sameCause(a, b error) bool {
	for _, cause := range []error{errAway, errRefused, errForbidden} {
		if errors.Is(a, cause) && errors.Is(b, cause) {
			return true
		}
	}
	return false
}

// recent is how the last question ended, if that was a short while ago.
func (h *health) recent() (err error, known bool) { //nolint:revive // the error is the answer, not a failure
	h.mu.Lock()
	defer h.mu.Unlock()
	recheck := healthRecheck
	if errors.Is(h.last, errForbidden) {
		recheck = forbiddenRecheck
	}
	return h.last, !h.at.IsZero() && h.now().Before(h.at.Add(recheck))
}

// noToken is a text for which Keystone has to say that it is no token.
const noToken = "is-keystone-there"

// Ready says why tokens cannot be checked, nil when they can. It asks Keystone only when nobody has lately.
func (k *Keystone) Ready(ctx context.Context) error {
	if err, known := k.health.recent(); known {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	_, err := k.ask(ctx, noToken, false)
	if errors.Is(err, identity.ErrUnauthenticated) {
		err = nil
	}
	k.health.note(err)
	return err
}
