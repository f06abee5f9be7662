package sweep

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// cloud holds things and notes what is removed.
type cloud struct {
	held    []Holding
	removed []string
	broken  error
}

func (c *cloud) Holdings(context.Context) ([]Holding, error) { return slices.Clone(c.held), nil }

func (c *cloud) DeleteServer(_ context.Context, id string) error { return c.remove(id, KindServer) }
func (c *cloud) DeleteVolume(_ context.Context, id string) error { return c.remove(id, "volume") }
func (c *cloud) ReleaseAddress(_ context.Context, id string) error {
	return c.remove(id, "port")
}

func (c *cloud) remove(id, kind string) error {
	if c.broken != nil {
		return c.broken
	}
	c.held = slices.DeleteFunc(c.held, func(h Holding) bool {
		gone := h.InstanceID == id && h.Kind == kind
		if gone {
			c.removed = append(c.removed, kind+" of "+id)
		}
		return gone
	})
	return nil
}

// instances are what the api knows.
type instances struct {
	living, deleted, guests, reported []string
}

func (i *instances) FindInstances(_ context.Context, asked *journalv1.FindInstancesRequest, _ ...grpc.CallOption) (*journalv1.FindInstancesResponse, error) {
	answer := &journalv1.FindInstancesResponse{}
	for _, id := range asked.GetInstanceIds() {
		switch {
		case slices.Contains(i.living, id):
			answer.Living = append(answer.Living, id)
		case slices.Contains(i.deleted, id):
			answer.Deleted = append(answer.Deleted, id)
		}
	}
	return answer, nil
}

func (i *instances) ListGuests(context.Context, *journalv1.ListGuestsRequest, ...grpc.CallOption) (*journalv1.ListGuestsResponse, error) {
	answer := &journalv1.ListGuestsResponse{}
	for _, id := range i.guests {
		answer.Guests = append(answer.Guests, &journalv1.Guest{InstanceId: id})
	}
	return answer, nil
}

func (i *instances) ReportServerStatus(_ context.Context, r *journalv1.ReportServerStatusRequest, _ ...grpc.CallOption) (*journalv1.ReportServerStatusResponse, error) {
	i.reported = append(i.reported, r.GetInstanceId()+" "+r.GetServerStatus())
	return &journalv1.ReportServerStatusResponse{}, nil
}

// swept is a sweeper whose clock the test turns.
func swept(t *testing.T, config Config, c *cloud, i *instances) (*Sweeper, *time.Time) {
	t.Helper()
	s, err := New(config, c, i, nil, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	clock := time.Unix(0, 0)
	s.now = func() time.Time { return clock }
	return s, &clock
}

func TestWhatADeletedInstanceLeftIsRemovedAfterTheGraceAndNothingElse(t *testing.T) {
	held := []Holding{
		{KindServer, "1", "living"},
		{"volume", "2", "living"},
		{"volume", "3", "deleted"},
		{"port", "4", "deleted"},
		{"volume", "5", "unknown"},
	}
	c := &cloud{held: slices.Clone(held)}
	s, clock := swept(t, Config{Grace: time.Hour}, c, &instances{living: []string{"living"}, deleted: []string{"deleted"}})

	require.NoError(t, s.Sweep(t.Context()))
	*clock = clock.Add(time.Hour - time.Second)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, held, c.held, "within the grace")

	*clock = clock.Add(time.Second)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, []string{"volume of deleted", "port of deleted"}, c.removed)

	*clock = clock.Add(1000 * time.Hour)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, []Holding{held[0], held[1], held[4]}, c.held, "data of an instance that was never known stay")
}

func TestStraysMayBeKept(t *testing.T) {
	c := &cloud{held: []Holding{{"volume", "3", "deleted"}}}
	s, clock := swept(t, Config{Keep: true}, c, &instances{deleted: []string{"deleted"}})
	require.NoError(t, s.Sweep(t.Context()))
	*clock = clock.Add(time.Hour)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Len(t, c.held, 1)
}

func TestWhatCannotBeRemovedNowIsTriedAtTheNextSweep(t *testing.T) {
	c := &cloud{held: []Holding{{"volume", "3", "deleted"}}, broken: errors.New("away")}
	s, _ := swept(t, Config{}, c, &instances{deleted: []string{"deleted"}})
	require.ErrorContains(t, s.Sweep(t.Context()), "remove the strays of instance deleted: away")
	c.broken = nil
	require.NoError(t, s.Sweep(t.Context()))
	assert.Empty(t, c.held)
}

func TestAStrayThatWasClaimedMeanwhileHasItsGraceAnew(t *testing.T) {
	c := &cloud{held: []Holding{{"volume", "3", "a"}}}
	known := &instances{deleted: []string{"a"}}
	s, clock := swept(t, Config{Grace: time.Hour}, c, known)
	require.NoError(t, s.Sweep(t.Context()))
	known.living, known.deleted = []string{"a"}, nil
	require.NoError(t, s.Sweep(t.Context()))
	known.living, known.deleted = nil, []string{"a"}
	*clock = clock.Add(2 * time.Hour)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Len(t, c.held, 1)
}

func TestAServerThatIsGoneAtTwoLooksIsReported(t *testing.T) {
	c := &cloud{held: []Holding{{KindServer, "1", "a"}, {"volume", "2", "b"}}}
	known := &instances{living: []string{"a", "b"}, guests: []string{"a", "b"}}
	s, _ := swept(t, Config{}, c, known)
	require.NoError(t, s.Sweep(t.Context()))
	assert.Empty(t, known.reported, "it may be on its way")
	require.NoError(t, s.Sweep(t.Context()))
	assert.Equal(t, []string{"b DELETED"}, known.reported)
}
