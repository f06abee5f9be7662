package server

import (
	"context"
	"strings"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// The rules of management, which only admins pass by default.
const (
	ruleManagedIndex  = "mgmt:instance:index"
	ruleManagedShow   = "mgmt:instance:show"
	ruleManagedAction = "mgmt:instance:action"
)

// management says whether a rule is one of those whose denial is Trove's 401.
func management(rule string) bool { return strings.HasPrefix(rule, "mgmt:") }

func (s *Server) authoriseManagement(ctx context.Context, rule string) (identity.Caller, error) {
	caller, denied := s.authorise(ctx, rule)
	if denied != nil {
		return caller, notAdmin()
	}
	return caller, nil
}
