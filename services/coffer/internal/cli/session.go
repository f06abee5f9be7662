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
