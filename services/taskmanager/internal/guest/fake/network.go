package fake

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Network is where pretended databases reach each other. What a source commits is at once at every replica that streams
// from it, and nowhere else.
type Network struct {
	mu sync.Mutex
	// changed is closed and made anew whenever a database changes.
	changed   chan struct{}
	databases map[string]*database
}

// NewNetwork has no databases yet.
func NewNetwork() *Network {
	return &Network{changed: make(chan struct{}), databases: map[string]*database{}}
}

// database is a pretended one; the network's lock guards all of it.
type database struct {
	id      string
	role    guestagentv1.ReplicationRole
	hasData bool
	// running: a database that is stopped neither writes nor sends. gone: the whole server is.
	running, gone bool
	// rows are what was committed, in order; a position is how many of them there are.
	rows []string
	// copiedBy is the operation that has made the copy.
	copiedBy string
	source   string
	// word is what this replica shows to its source; accounts are the words that a source accepts.
	word     string
	accounts map[string]string
	tickets  map[string]ticket
	// held: it receives nothing for now.
	held   bool
	broken string
}

type ticket struct {
	word string
	ends time.Time
}

// Writable are the instances whose databases accept writes now, sorted.
func (n *Network) Writable() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ids []string
	for id, d := range n.databases {
		if d.writable() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// join adds a database, in the place of one that the instance had before.
func (n *Network) join(id string) *database {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.databases[id] = &database{
		id: id, role: guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE, accounts: map[string]string{}, tickets: map[string]ticket{},
	}
	n.flow()
	return n.databases[id]
}

// change changes a database and lets everything flow that can.
func (n *Network) change(change func() error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := change()
	n.flow()
	return err
}

// flow brings to each replica what its source has. A replica of a replica gets it in a later round.
func (n *Network) flow() {
	for range n.databases {
		for _, d := range n.databases {
			if source := n.sourceOf(d); source != nil {
				d.receive(source)
			}
		}
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

// sourceOf is nil when nothing streams.
func (n *Network) sourceOf(d *database) *database {
	source := n.databases[d.source]
	switch {
	case d.role != guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA, d.gone, !d.running, d.broken != "":
		return nil
	case source == nil, source.gone, !source.running, source.accounts[d.id] != d.word:
		return nil
	}
	return source
}

func (d *database) receive(source *database) {
	if d.held {
		return
	}
	if !source.has(d.rows) {
		d.broken = "the source does not have what is here"
		return
	}
	d.rows = slices.Clone(source.rows)
}

// has says whether other rows are the beginning of these.
func (d *database) has(rows []string) bool {
	return len(rows) <= len(d.rows) && slices.Equal(rows, d.rows[:len(rows)])
}

func (d *database) writable() bool {
	return d.role == guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE && d.running && !d.gone
}

func (d *database) position() string { return strconv.Itoa(len(d.rows)) }

// Commit writes a row as a client of the database would.
func (a *Agent) Commit(row string) error {
	return a.network.change(func() error {
		if !a.database.writable() {
			return errs.New(errs.WrongState, "READ_ONLY", "The database does not accept writes.")
		}
		a.database.rows = append(a.database.rows, row)
		return nil
	})
}

// Rows are what is in the database.
func (a *Agent) Rows() []string {
	a.network.mu.Lock()
	defer a.network.mu.Unlock()
	return slices.Clone(a.database.rows)
}

// Hold keeps a replica from receiving anything until it is let go.
func (a *Agent) Hold(on bool) {
	_ = a.network.change(func() error { a.database.held = on; return nil }) // it cannot fail
}

// Join connects the agent's database to those of a network; it is called before Serve. An agent of its own is alone.
func (a *Agent) Join(network *Network) {
	a.network, a.database = network, network.join(a.instanceID)
}
