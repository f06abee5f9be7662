package mariadb

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// gtid names a transaction: the sequence number is the domain's, the server is where it was first committed.
type gtid struct {
	domain, server uint32
	sequence       uint64
}

// position is a list of transactions as MariaDB writes it, "0-1-405,1-7-3": the last of each domain, or in a binlog's
// state the last of each domain and server.
type position []gtid

func parsePosition(text string) (position, error) {
	var p position
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		if part == "" {
			continue
		}
		numbers := strings.Split(part, "-")
		if len(numbers) != 3 {
			return nil, fmt.Errorf("%q is not a GTID", part)
		}
		domain, err := strconv.ParseUint(numbers[0], 10, 32)
		server, err2 := strconv.ParseUint(numbers[1], 10, 32)
		sequence, err3 := strconv.ParseUint(numbers[2], 10, 64)
		if err := cmp.Or(err, err2, err3); err != nil {
			return nil, fmt.Errorf("%q is not a GTID: %w", part, err)
		}
		p = append(p, gtid{domain: uint32(domain), server: uint32(server), sequence: sequence})
	}
	return p, nil
}

// progress adds up the sequence numbers: of two positions in one history, the one that is further has more.
func (p position) progress() uint64 {
	var sum uint64
	for _, g := range p {
		sum += g.sequence
	}
	return sum
}

// reaches says whether everything of another position lies before this one, in one history.
func (p position) reaches(other position) bool {
	return !slices.ContainsFunc(other, func(wanted gtid) bool {
		return !slices.ContainsFunc(p, func(g gtid) bool { return g.domain == wanted.domain && g.sequence >= wanted.sequence })
	})
}

// history is what a server says of its own past.
type history struct {
	// state is the binlog's: the last transaction of each domain and server in it. received is up to where the server
	// followed others; what lies before the binlog's beginning is known by it alone.
	state, received, current position
}

// lacks says whether a server certainly does not have another's last transactions. What is not certain the source says
// itself when it is asked for what follows.
func (h history) lacks(other position) bool {
	return slices.ContainsFunc(other, func(wanted gtid) bool {
		for _, g := range slices.Concat(h.state, h.received) {
			if g.domain == wanted.domain && g.server == wanted.server {
				return g.sequence < wanted.sequence
			}
		}
		return !h.current.reaches(position{wanted})
	})
}

// String is how MariaDB writes it.
func (p position) String() string {
	parts := make([]string, len(p))
	for i, g := range p {
		parts[i] = fmt.Sprintf("%d-%d-%d", g.domain, g.server, g.sequence)
	}
	return strings.Join(parts, ",")
}
