package guest

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Renew exchanges the guest's certificate for a new one of the same key, also one that has ended in a long outage. That
// is why it has a connection of its own, over which nothing else is said.
func (d *Dialer) Renew(ctx context.Context, instanceID, address string, sign step.Sign) error {
	connection, err := d.dial(address, d.identity.RenewalTLS(pki.Only(pki.InstanceName(instanceID))), redial)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if err := exchangeRenewal(ctx, guestagentv1.NewGuestAgentServiceClient(connection), sign); err != nil {
		return fmt.Errorf("renew the certificate of the guest at %s: %w", address, err)
	}
	return nil
}

func exchangeRenewal(ctx context.Context, client guestagentv1.GuestAgentServiceClient, sign step.Sign) error {
	stream, err := client.RenewCertificate(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&guestagentv1.RenewCertificateRequest{}); err != nil {
		return received(stream, err)
	}
	asked, err := stream.Recv()
	if err != nil {
		return err
	}
	certificate, err := sign(ctx, asked.GetCertificateRequest())
	if err != nil {
		return err
	}
	if err := stream.Send(&guestagentv1.RenewCertificateRequest{CertificatePem: certificate}); err != nil {
		return received(stream, err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	if !answer.GetRenewed() {
		return errs.New(errs.Internal, "NOT_RENEWED", "The guest agent did not take its new certificate.")
	}
	return nil
}
