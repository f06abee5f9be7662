package postgresql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// lsn is a byte position in the log of writes.
type lsn uint64

func (l lsn) String() string { return fmt.Sprintf("%X/%X", uint64(l>>32), uint32(l)) } //nolint:gosec // the lower half

func parseLSN(text string) (lsn, error) {
	high, low, found := strings.Cut(text, "/")
	h, err := strconv.ParseUint(high, 16, 32)
	if err == nil {
		var l uint64
		if l, err = strconv.ParseUint(low, 16, 32); err == nil && found {
			return lsn(h<<32 | l), nil
		}
	}
	return 0, fmt.Errorf("%q is no position in a log", text)
}

// position is a place in a history: 2/0/3000158 is 0/3000158 on timeline 2.
type position struct {
	timeline uint32
	at       lsn
}

func (p position) String() string { return fmt.Sprintf("%d/%s", p.timeline, p.at) }

func parsePosition(text string) (position, error) {
	timeline, at, found := strings.Cut(text, "/")
	t, err := strconv.ParseUint(timeline, 10, 32)
	if err == nil && found {
		var l lsn
		if l, err = parseLSN(at); err == nil {
			return position{uint32(t), l}, nil
		}
	}
	return position{}, errs.New(errs.Invalid, "POSITION_UNREADABLE", "The position %q cannot be read.", text).Because(err)
}

// reaches says whether who is here has all up to the wanted position. Within a set timelines only go up.
func (p position) reaches(wanted position) bool {
	return p.timeline >= wanted.timeline && p.at >= wanted.at
}
