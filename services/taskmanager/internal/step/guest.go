package step

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// Guests reaches the agents beside the databases.
type Guests interface {
	// Enroll gives the agent of a new server its identity: the agent makes a key, sign turns its request into a
	// certificate. An agent that has one already is left as it is.
	Enroll(ctx context.Context, instanceID, address string, sign Sign) error
	// Guest is an enrolled agent. It connects at the first call.
	Guest(instanceID, address string) (Guest, error)
	// Forget closes what is kept for an instance's guest.
	Forget(instanceID string)
}

// Sign turns a certificate request (PKCS #10, DER) into a certificate.
type Sign func(ctx context.Context, request []byte) (certificatePEM []byte, err error)

// Guest is what workflows ask of an agent. A call that changes something happens once for its operation, however often
// it is made: the agent joins or answers a repetition. So a call whose connection broke is simply made again.
type Guest interface {
	Replicator
	Upgrader

	Prepare(ctx context.Context, request *guestagentv1.PrepareRequest, say func(string)) error
	RestartDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
	StopDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
	StartDatabase(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
	// ConfigureDatabase writes the configuration for another flavor's memory; it holds from the next start.
	ConfigureDatabase(ctx context.Context, request *guestagentv1.ConfigureDatabaseRequest, say func(string)) error
	// GrowVolume makes the file system fill its grown volume, while the database runs. Unsupported where that, or the
	// volume's new size, wants the machine to be restarted.
	GrowVolume(ctx context.Context, request *guestagentv1.GrowVolumeRequest, say func(string)) error
	// Status is the database's state now.
	Status(ctx context.Context) (*guestagentv1.DatabaseStatus, error)
	// AwaitStatus watches until the state is the wanted one, and answers with it.
	AwaitStatus(ctx context.Context, wanted func(*guestagentv1.DatabaseStatus) bool) (*guestagentv1.DatabaseStatus, error)
}

// Operation names what the current step asks of a guest.
func Operation(r *flow.Run) *guestagentv1.Operation {
	return &guestagentv1.Operation{Id: r.OperationID(), Epoch: r.Epoch()}
}

// Report is a guest's state as the journal keeps it.
func Report(s *guestagentv1.DatabaseStatus) *journalv1.GuestStatus {
	report := &journalv1.GuestStatus{
		AgentLife: s.GetAgentLife(), AgentLifeBegan: s.GetAgentLifeBegan(), Sequence: s.GetSequence(),
		ServiceStatus: s.GetServiceStatus(), Message: s.GetMessage(),
	}
	if volume := s.GetVolume(); volume != nil {
		report.Volume = &journalv1.VolumeUse{UsedBytes: volume.GetUsedBytes(), TotalBytes: volume.GetTotalBytes()}
	}
	return report
}
