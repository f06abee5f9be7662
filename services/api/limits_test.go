package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
	quotav1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/quota/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

func TestLimitsBeginWithTheAbsoluteOneAndNameOnlyRatesThatAreSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.RateLimits = api.RateLimitConfig{Post: 200, Get: 100} })
	shown, err := quotav1.NewQuotaServiceClient(w.public).
		ListLimits(w.as("reader"), &quotav1.ListLimitsRequest{ProjectId: w.project("reader")})
	require.NoError(t, err, "before any provider has registered")
	require.Len(t, shown.GetLimits(), 3)
	absolute := shown.GetLimits()[0]
	assert.Equal(t, "ABSOLUTE", absolute.GetVerb())
	assert.Equal(t, []int32{10, -1, 40, 50}, []int32{
		absolute.GetMaxInstances(), absolute.GetMaxRam(), absolute.GetMaxVolumes(), absolute.GetMaxBackups(),
	})
	assert.Nil(t, absolute.Value)
	post := shown.GetLimits()[1]
	assert.Equal(t, "POST", post.GetVerb())
	assert.Equal(t, int32(200), post.GetValue())
	assert.Equal(t, "MINUTE", post.GetUnit())
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, post.GetNextAvailable())
	assert.Equal(t, "GET", shown.GetLimits()[2].GetVerb())
}

func TestFlavorsHaveANumberAsIDWhereTheyCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	flavors, project := flavorv1.NewFlavorServiceClient(w.public), w.project("demo")
	list, err := flavors.ListFlavors(w.as("demo"), &flavorv1.ListFlavorsRequest{ProjectId: project})
	require.NoError(t, err)
	require.Len(t, list.GetFlavors(), 3)
	assert.InDelta(t, 1, list.GetFlavors()[0].GetId().GetNumberValue(), 0)
	assert.IsType(t, &structpb.Value_NullValue{}, list.GetFlavors()[2].GetId().GetKind())
	assert.Equal(t, "m1", list.GetFlavors()[2].GetStrId())

	one, err := flavors.GetFlavor(w.as("demo"), &flavorv1.GetFlavorRequest{ProjectId: project, FlavorId: "2"})
	require.NoError(t, err)
	assert.Equal(t, int32(1024), one.GetFlavor().GetRam())
	assert.Equal(t, publicURL+"/flavors/2", one.GetFlavor().GetLinks()[1].GetHref())
	_, err = flavors.GetFlavor(w.as("demo"), &flavorv1.GetFlavorRequest{ProjectId: project, FlavorId: "99"})
	assert.True(t, errs.IsKind(err, errs.NotFound))
}
