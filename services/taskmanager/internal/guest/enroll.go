package guest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// bootPatience is how long one attempt waits for a new server's agent to listen.
const bootPatience = 15 * time.Second

// Enroll gives a new guest its certificate. It waits for the agent to listen, and knows by the name that the agent
// shows whether an earlier attempt has already enrolled it.
func (d *Dialer) Enroll(ctx context.Context, instanceID, address string, sign step.Sign) error {
	var enrolled atomic.Bool
	connection, err := d.dial(address, d.identity.ClientTLS(func(name pki.Name) error {
		enrolled.Store(name == pki.InstanceName(instanceID))
		if enrolled.Load() {
			return nil
		}
		return pki.Only(pki.BootstrapName(instanceID))(name)
	}), firstDial)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()

	err = exchangeEnrollment(ctx, guestagentv1.NewGuestAgentServiceClient(connection), sign)
	// The agent refuses a second enrolment; that it shows its name proves the first one.
	if err != nil && !enrolled.Load() {
		return fmt.Errorf("enrol guest at %s: %w", address, err)
	}
	// A connection that the monitor opened before met the guest's former name, and would say so once more.
	d.Forget(instanceID)
	return nil
}

func exchangeEnrollment(ctx context.Context, client guestagentv1.GuestAgentServiceClient, sign step.Sign) error {
	ctx, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	stream, err := client.Enroll(ctx, grpc.WaitForReady(true))
	if err != nil {
		return noAnswer(err)
	}
	if err := stream.Send(&guestagentv1.EnrollRequest{}); err != nil {
		return received(stream, err)
	}
	asked, err := stream.Recv()
	if err != nil {
		return noAnswer(err)
	}
	certificate, err := sign(ctx, asked.GetCertificateRequest())
	if err != nil {
		return err
	}
	if err := stream.Send(&guestagentv1.EnrollRequest{CertificatePem: certificate}); err != nil {
		return received(stream, err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return noAnswer(err)
	}
	if !answer.GetEnrolled() {
		return errs.New(errs.Internal, "NOT_ENROLLED", "The guest agent did not take its certificate.")
	}
	return nil
}

// noAnswer says what was in the way when the patience ended.
func noAnswer(err error) error {
	if status.Code(err) == codes.DeadlineExceeded {
		return errs.New(errs.Unavailable, "GUEST_SILENT", "The guest agent does not answer: %s.", dialFault(status.Convert(err).Message()))
	}
	return err
}

// dialFault is the last connection error, which gRPC wraps into its message.
func dialFault(message string) string {
	_, fault, wrapped := strings.Cut(message, `desc = "`)
	if !wrapped {
		return message
	}
	fault = strings.TrimPrefix(fault, "transport: ")
	return strings.TrimSuffix(strings.TrimPrefix(fault, "Error while dialing: "), `"`)
}

// received replaces the io.EOF of a Send on a stream that has ended by the status that it ended with.
func received[Response any](stream interface{ Recv() (Response, error) }, err error) error {
	if _, ended := stream.Recv(); ended != nil {
		return ended
	}
	return err
}
