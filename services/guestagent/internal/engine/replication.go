package engine

import (
	"context"
	"io"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

// Replicator is an engine whose servers can form a set: one source and its replicas. Its methods may be called from
// several goroutines, and all that change something may be repeated after a crash at any point.
//
// The agent keeps the role of its server on disk (package role), writes it before it takes effect, and is the only one to
// change it; an engine gets it and brings the database there. Whether a source may write is also the agent's to say: it
// calls SetReadOnly after each of these methods. So an engine makes nothing writable by itself, unless,
// as PostgreSQL, it becomes so by ceasing to be a replica.
type Replicator interface {
	Engine

	// Assume brings the database to its role and makes it refuse writes or take them. It is the first question to each
	// database process, started or found again, before anybody is told that it serves, so it may come too early for an
	// answer. It ends what a crash cut: a source that still follows somebody ends that (a promotion that was under way;
	// role.State.Began is empty until it is over), a replica follows its source with what is on the disk, a frozen server
	// refuses writes. Role.Unset counts as Source. It costs next to nothing where nothing changes.
	Assume(ctx context.Context, r role.Role, readOnly bool) error
	// Replication asks the database how far it is. An engine whose frozen server does not run answers from the disk.
	// Unavailable: the database does not answer.
	Replication(ctx context.Context) (Replication, error)

	// AdmitReplica makes the account that a replica follows with, a new password each time. It is called on sources, and on
	// replicas that are about to become one: what cannot be made there (PostgreSQL: a role) is kept, and made by Promote.
	// It must not add to the history that replicas compare.
	AdmitReplica(ctx context.Context, replica Member) (Account, error)
	// DismissReplica takes the account back, ends its connections, and whatever kept data for it. Nil when there is nothing.
	// It is called on any role, a server that cannot do it leaves it to its source.
	DismissReplica(ctx context.Context, instanceID string) error

	// HasData says whether there is a data directory.
	HasData() (bool, error)
	// RemoveData removes the data directory, and ends what a killed agent left working in it. The database does not run.
	RemoveData(ctx context.Context) error
	// SendCopy writes a copy of the running database to a stream, from which CopyFrom of the same engine makes a data
	// directory. Only of engines with SendsCopies.
	SendCopy(ctx context.Context, to io.Writer) error
	// SendsCopies says whether copies go through the agents (SendCopy), or over the database's own port.
	SendsCopies() bool
	// CopyFrom makes the data directory from a live source, with this server's own administrator, so that the next start
	// serves it as a replica; the server has none and does not run. open asks the source's agent for what SendCopy writes
	// there: it reads io.EOF only when all has come. An error leaves what it has done: RemoveData comes before another try.
	CopyFrom(ctx context.Context, source Source, open func(context.Context) (io.ReadCloser, error)) error

	// Follow makes the server a replica of a source, with the data that are here: after CopyFrom, from another source, or
	// from Frozen. It returns when the source has accepted what is here as the beginning of its own history, or it is
	// known that it has not: WrongState with reason DIVERGED (Diverged). The role is already Replica. The database runs, or
	// is brought up by p.
	Follow(ctx context.Context, source Source, p Process) error
	// CheckFollow is asked before the role is changed and anything else is, where it can be known without: WrongState with
	// reason DIVERGED when there is something here that the source does not have. The server is frozen or a replica.
	CheckFollow(ctx context.Context, source Source) error

	// RunsFrozen says whether the engine can refuse all writes while its process runs. If not, Freeze stops it, and the agent
	// does not start it while the role is Frozen.
	RunsFrozen() bool
	// Freeze ends all writing and gives the position behind which nothing was acknowledged. The role is already Frozen, and
	// the database cannot come up writing any more. It takes milliseconds where the engine can. It is called again at the
	// agent's start while the role is Frozen.
	Freeze(ctx context.Context, p Process) (position string, err error)
	// Unfreeze brings a database up that Freeze stopped; the role is already Source.
	Unfreeze(ctx context.Context, p Process) error
	// AwaitPosition waits until everything up to a position has been applied. WrongState with reason REPLICATION_BROKEN when
	// it never will.
	AwaitPosition(ctx context.Context, position string) error
	// Promote applies everything that was received, ends the following, and gives the position at which this server's own
	// history begins. The role is already Source. It is called again where a crash came in between, also on a server that
	// follows nobody any more, which answers with its position now.
	Promote(ctx context.Context, p Process) (position string, err error)

	// TrimHistory removes the oldest of what is kept for replicas that are behind, until it takes at most so many bytes; what
	// a connected replica still reads stays. Engines that bound it by their configuration do nothing.
	TrimHistory(ctx context.Context, bytes uint64) error
}

// Process starts and stops the database: the agent's loop.
type Process interface {
	// RequestAndWaitStart keeps the database running from now on and waits until it answers and has assumed its role.
	RequestAndWaitStart(ctx context.Context) error
	// RequestAndWaitRestart stops it, if it runs, and starts it.
	RequestAndWaitRestart(ctx context.Context) error
	// RequestAndWaitStop keeps the database stopped from now on and waits for its end.
	RequestAndWaitStop(ctx context.Context) error
}

// Member is another server of the set.
type Member struct {
	InstanceID string
	// Address is its database's.
	Address string
}

// Account is what a replica follows its source with.
type Account struct {
	User, Password string
	// Port is the source's database's.
	Port int
}

// Source is whom to follow, and how to reach it.
type Source struct {
	Member
	Account
}

// Replication is how far a server is.
type Replication struct {
	// Position is up to where the data here go, in the engine's own notation.
	Position string
	// Received is, of a replica, the last that it knows of its source's position; empty when it knows none.
	Received string
	// Progress orders the servers of one history: more is more. Of a replica it counts what it has received, because
	// Promote applies all of that.
	Progress uint64
	// Streaming says that the stream from the source is up.
	Streaming bool
	// LagMilliseconds is how far the data are behind what has been received.
	LagMilliseconds int64
	// Message says why nothing streams; no secrets.
	Message string
	// Writable is whether the database accepts writes, found out by asking it.
	Writable bool
}
