package server

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// GetInfo tells the agent's version and what its engine can do.
func (s *Server) GetInfo(context.Context, *guestagentv1.GetInfoRequest) (*guestagentv1.GetInfoResponse, error) {
	manager, capabilities := s.Instance.Manager()
	return &guestagentv1.GetInfoResponse{AgentVersion: s.Version, Manager: manager, Capabilities: capabilities}, nil
}
