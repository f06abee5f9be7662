package cli

import (
	"context"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/serve"
)

// session is what the user's verbs have in common: which cloud they talk to.
type session struct {
	cloud   string
	dataDir string
}

func (s *session) connect(ctx context.Context) (*client.Client, error) {
	return client.Connect(ctx, client.Login{Cloud: s.cloud, OwnClouds: filepath.Join(s.dataDir, serve.CloudsFile)})
}

// find connects and finds an instance by its id or name.
func (s *session) find(ctx context.Context, idOrName string) (*client.Client, client.Instance, error) {
	service, err := s.connect(ctx)
	if err != nil {
		return nil, client.Instance{}, err
	}
	instance, err := service.FindInstance(ctx, idOrName)
	return service, instance, err
}
