package journal

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

const (
	// bootstrapLifetime is long enough for a server to boot, and good for one call.
	bootstrapLifetime = time.Hour
	// certificateLifetime is that of guests and taskmanagers, who renew at half of it.
	certificateLifetime = 24 * time.Hour
)

// IssueBootstrap gives the run that builds a server the identity with which its guest may enrol.
func (s *Server) IssueBootstrap(
	ctx context.Context, request *journalv1.IssueBootstrapRequest,
) (*journalv1.IssueBootstrapResponse, error) {
	id := request.GetInstanceId()
	if _, err := s.builds(ctx, request.GetRun(), id); err != nil {
		return nil, err
	}
	certificate, key, err := s.CA.Issue(pki.BootstrapName(id), bootstrapLifetime)
	if err != nil {
		return nil, err
	}
	return &journalv1.IssueBootstrapResponse{CaPem: s.CA.PEM(), CertificatePem: certificate, KeyPem: key}, nil
}

// SignGuest signs a guest's certificate. The run that builds the server brings the guest's key, which is recorded; from
// then on that key may be renewed, however long ago its certificate ended, and no other is signed: a bootstrap that
// was used enrols nobody else. A run that builds the server anew brings a new key, which takes the old one's place.
func (s *Server) SignGuest(
	ctx context.Context, request *journalv1.SignGuestRequest,
) (*journalv1.SignGuestResponse, error) {
	id := request.GetInstanceId()
	enrolling := request.GetRun() != nil
	anew := false
	if enrolling {
		built, err := s.builds(ctx, request.GetRun(), id)
		if err != nil {
			return nil, err
		}
		anew = slices.Contains(rebuilding, built)
	}
	known, err := s.Store.GuestKey(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(known) == 0 && !enrolling {
		return nil, errs.New(errs.Forbidden, "NOT_ENROLLED", "No guest of instance %s has enrolled.", id)
	}
	signed, err := s.CA.Sign(request.GetCertificateRequest(), pki.InstanceName(id), certificateLifetime)
	if err != nil {
		return nil, badRequest(err)
	}
	if len(known) > 0 && !anew && !bytes.Equal(known, signed.PublicKey) {
		return nil, errs.New(errs.Forbidden, "WRONG_KEY", "The guest of instance %s has enrolled with another key.", id)
	}
	if err := s.Store.SaveGuestCertificate(ctx, id, signed.PublicKey, signed.Expires); err != nil {
		return nil, err
	}
	if enrolling {
		s.Guests.Ring()
	}
	return &journalv1.SignGuestResponse{CertificatePem: signed.CertificatePEM}, nil
}

// SignTaskmanager signs a taskmanager's certificate: over the network for the caller's own name, in process for any.
func (s *Server) SignTaskmanager(
	ctx context.Context, request *journalv1.SignTaskmanagerRequest,
) (*journalv1.SignTaskmanagerResponse, error) {
	name := pki.TaskmanagerName(request.GetName())
	if err := speaksFor(ctx, request.GetName()); err != nil {
		return nil, err
	}
	signed, err := s.CA.Sign(request.GetCertificateRequest(), name, certificateLifetime)
	if err != nil {
		return nil, badRequest(err)
	}
	return &journalv1.SignTaskmanagerResponse{CertificatePem: signed.CertificatePEM, CaPem: s.CA.PEM()}, nil
}

// building are the actions that build an instance's server, rebuilding those that build it anew.
var (
	building   = append([]action.Name{action.CreateInstance, action.CreateReplica}, rebuilding...)
	rebuilding = []action.Name{action.RebuildInstance, action.UpgradeInstance}
)

// builds checks that the run is the newest of a task that builds the instance's server, and answers with its action.
func (s *Server) builds(ctx context.Context, r *journalv1.Run, instanceID string) (action.Name, error) {
	task, err := s.Store.CheckRun(ctx, run(r))
	if err != nil {
		return "", err
	}
	if task.InstanceID != instanceID || !slices.Contains(building, task.Action) {
		return "", errs.New(errs.Forbidden, "NOT_THE_BUILDER", "Task %s does not build instance %s.", task.ID, instanceID)
	}
	return task.Action, nil
}

func badRequest(err error) error {
	return errs.New(errs.Invalid, "CERTIFICATE_REQUEST", "The certificate request cannot be signed.").Because(err)
}
