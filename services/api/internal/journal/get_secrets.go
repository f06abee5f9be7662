package journal

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// GetSecrets hands a run the secrets of its task, in the clear. What cannot be opened is told without its content.
func (s *Server) GetSecrets(
	ctx context.Context, request *journalv1.GetSecretsRequest,
) (*journalv1.GetSecretsResponse, error) {
	task, err := s.Store.CheckRun(ctx, run(request.GetRun()))
	if err != nil {
		return nil, err
	}
	sealed, err := s.Store.Secrets(ctx, run(request.GetRun()))
	if err != nil {
		return nil, err
	}
	secrets := &journalv1.GetSecretsResponse{}
	if len(sealed) == 0 {
		return secrets, nil
	}
	plain, err := s.Secrets.Open(sealed, task.InstanceID)
	if err != nil {
		return nil, err
	}
	if proto.Unmarshal(plain, secrets) != nil {
		return nil, errors.New("the task's secrets are not in the form in which they were sealed")
	}
	return secrets, nil
}
