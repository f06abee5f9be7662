package dialect

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// rateLimits counts each project's requests by method, in this process. Projects that were quiet are forgotten: when
// the younger half of the memory is full it becomes the older one, and what nobody asked for since is dropped.
type rateLimits struct {
	perMinute map[string]int

	mu             sync.Mutex
	younger, older map[limitKey]*rate.Limiter
}

type limitKey struct{ project, method string }

func newRateLimits(perMinute map[string]int) *rateLimits {
	return &rateLimits{perMinute: perMinute, younger: map[limitKey]*rate.Limiter{}}
}

// limitRate refuses a project that asks too often. Callers are checked before they count, so that nobody uses up
// what belongs to another project.
func (d *Dialect) limitRate(x *exchange, r *http.Request) (*http.Request, *fault) {
	perMinute := d.limits.perMinute[r.Method]
	project, ok := x.project()
	if perMinute <= 0 || !ok {
		return r, nil
	}
	if err := d.checkAccess(r, project); err != nil {
		return nil, faultOf(err)
	}
	wait := d.limits.take(limitKey{project, r.Method}, perMinute)
	if wait == 0 {
		return r, nil
	}
	return nil, &fault{
		code:       http.StatusRequestEntityTooLarge,
		message:    "This request was rate-limited.",
		details:    fmt.Sprintf("Only %d %s request(s) can be made to * every minute.", perMinute, r.Method),
		retryAfter: int(math.Ceil(wait.Seconds())),
	}
}

// take counts a request; if it is one too many it is not counted, and the time is returned after which it would not be.
func (l *rateLimits) take(key limitKey, perMinute int) time.Duration {
	reservation := l.limiter(key, perMinute).Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}

func (l *rateLimits) limiter(key limitKey, perMinute int) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.younger[key]; known != nil {
		return known
	}
	limiter := l.older[key]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(float64(perMinute)/time.Minute.Seconds()), perMinute)
	}
	if len(l.younger) >= server.MaxLimitedProjects {
		l.older, l.younger = l.younger, map[limitKey]*rate.Limiter{}
	}
	l.younger[key] = limiter
	return limiter
}
