package taskmanager

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// identityRetry is the pause after the api did not sign.
const identityRetry = 30 * time.Second

// identity is the name under which guests are called. Its key is made at each start and never leaves the process.
type identity struct {
	*pki.Identity
	name    string
	keyPEM  []byte
	request []byte
	signing journalv1.SigningServiceClient
}

func newIdentity(ctx context.Context, name string, signing journalv1.SigningServiceClient) (*identity, error) {
	key, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	keyPEM, err := pki.KeyPEM(key)
	if err != nil {
		return nil, err
	}
	request, err := pki.Request(key)
	if err != nil {
		return nil, err
	}
	i := &identity{name: name, keyPEM: keyPEM, request: request, signing: signing}
	signed, err := i.sign(ctx)
	if err != nil {
		return nil, err
	}
	i.Identity, err = pki.NewIdentity(signed.GetCertificatePem(), keyPEM, signed.GetCaPem())
	return i, err
}

func (i *identity) sign(ctx context.Context) (*journalv1.SignTaskmanagerResponse, error) {
	signed, err := i.signing.SignTaskmanager(ctx, &journalv1.SignTaskmanagerRequest{Name: i.name, CertificateRequest: i.request})
	if err != nil {
		return nil, fmt.Errorf("have the certificate of taskmanager %s signed: %w", i.name, err)
	}
	return signed, nil
}

// renew replaces the certificate whenever half of what was left of it is gone, until ctx ends.
func (i *identity) renew(ctx context.Context, logger *slog.Logger) {
	for {
		if !pause.For(ctx, max(time.Until(i.Expires())/2, identityRetry)) {
			return
		}
		signed, err := i.sign(ctx)
		if err == nil {
			err = i.Replace(signed.GetCertificatePem(), i.keyPEM)
		}
		if err != nil && ctx.Err() == nil {
			logger.Warn("own certificate not renewed, trying again", "error", err, "in", identityRetry)
		}
	}
}
