package server

import (
	"context"
	"maps"
	"time"

	"google.golang.org/protobuf/proto"

	quotav1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/quota/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// limitedVerbs are in the order in which Trove lists them.
var limitedVerbs = []string{"POST", "PUT", "DELETE", "GET"}

// ListLimits shows what the caller's project may have, then the rates that are limited.
func (s *Server) ListLimits(ctx context.Context, _ *quotav1.ListLimitsRequest) (*quotav1.ListLimitsResponse, error) {
	caller, err := s.authorise(ctx, "limits:index")
	if err != nil {
		return nil, err
	}
	own, err := s.Store.QuotaLimits(ctx, caller.ProjectID)
	if err != nil {
		return nil, err
	}
	quota := maps.Clone(s.Settings.Quota)
	maps.Copy(quota, own)
	limits := []*quotav1.Limit{{
		Verb:         "ABSOLUTE",
		MaxInstances: limitOf(quota, store.ResourceInstances),
		MaxRam:       limitOf(quota, store.ResourceRAM),
		MaxVolumes:   limitOf(quota, store.ResourceVolumes),
		MaxBackups:   limitOf(quota, store.ResourceBackups),
	}}
	for _, verb := range limitedVerbs {
		if rate := s.Settings.Rates[verb]; rate > 0 {
			limits = append(limits, s.rateLimit(verb, int32(rate))) //nolint:gosec // checked with the configuration
		}
	}
	return &quotav1.ListLimitsResponse{Limits: limits}, nil
}

// rateLimit tells the whole allowance: what is left of it is known to each gateway alone.
func (s *Server) rateLimit(verb string, rate int32) *quotav1.Limit {
	return &quotav1.Limit{
		Verb: verb, Unit: proto.String("MINUTE"), Value: &rate, Remaining: &rate,
		Uri: proto.String("*"), Regex: proto.String(".*"),
		NextAvailable: proto.String(s.Now().UTC().Format(time.RFC3339)),
	}
}

func limitOf(quota map[store.Resource]int, resource store.Resource) *int32 {
	limit := int32(quota[resource]) //nolint:gosec // checked with the configuration
	return &limit
}
