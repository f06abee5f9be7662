package e2e_test

import (
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// everyCrash has every point tried in place of a sample.
	everyCrash = "COFFER_E2E_EVERY_CRASH"
	// crashSample is how many points of each workflow are tried, and crashSeed which, unless other seeds are given.
	crashSample = 2
	crashSeed   = 1
)

// operation is one that dies midway, on a source with a replica.
type operation struct {
	action string
	// order has it begun, and answers with its task's id.
	order func(s *crashSite) string
	// check looks at what it has led to, however often it was interrupted.
	check func(s *crashSite)
}

// crashSite is a service that may die, and its instances.
type crashSite struct {
	*serve
	t           *testing.T
	user, admin *client
	datastore   datastore
	// source is followed by replica; both are ids.
	source, replica string
}

func (s *crashSite) act(id string, body map[string]any) string { return s.user.act(id, body) }

func (s *crashSite) manage(action string) string {
	s.t.Helper()
	got := s.admin.call(http.MethodPost, "/mgmt/instances/"+s.source+"/action", map[string]any{action: map[string]any{}})
	require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
	return taskOf(s.t, got)
}

func (s *crashSite) host(id string) machine {
	m := s.machine(s.user.show(id))
	m.t = s.t
	return m
}

var interrupted = []operation{
	{
		"create_replica",
		func(s *crashSite) string {
			_, task := s.user.create(map[string]any{"instance": map[string]any{"name": "another", "replica_of": s.source}})
			return task
		},
		func(s *crashSite) {
			replicas := s.user.show(s.source).Replicas
			require.Len(s.t, replicas, 2)
			for _, replica := range replicas {
				s.host(replica.ID).awaitRemembered("before")
				assert.False(s.t, s.host(replica.ID).writable())
				if replica.ID != s.replica {
					s.user.awaitSuccess(s.user.delete(replica.ID))
				}
			}
		},
	},
	{
		"resize_flavor",
		func(s *crashSite) string {
			return s.act(s.source, resizeTo(strconv.Itoa(3-s.flavor())))
		},
		func(s *crashSite) {
			of := memory[s.datastore.name]
			assert.Equal(s.t, []string{of.tiny, of.small}[s.flavor()-1], s.host(s.source).asked(of.query))
		},
	},
	{
		"resize_volume",
		func(s *crashSite) string { return s.act(s.replica, growTo(s.user.show(s.replica).Volume.Size+1)) },
		func(s *crashSite) {
			if os.Geteuid() == 0 {
				gib := s.user.show(s.replica).Volume.Size
				assert.InDelta(s.t, gib<<10, s.host(s.replica).size(), float64(gib)*200)
			}
		},
	},
	{"reboot_instance", func(s *crashSite) string { return s.manage("reboot") }, func(*crashSite) {}},
	{
		"stop_instance",
		func(s *crashSite) string {
			// The call waits for the end of its task, and may die before.
			got, err := s.admin.try(http.MethodPost, "/mgmt/instances/"+s.source+"/action", map[string]any{"stop": map[string]any{}})
			if err != nil {
				return ""
			}
			require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
			return taskOf(s.t, got)
		},
		func(s *crashSite) {
			assert.Empty(s.t, s.host(s.source).pidsOf(s.datastore.program))
			s.user.awaitSuccess(s.user.restart(s.source))
		},
	},
	{
		"promote_to_replica_source",
		func(s *crashSite) string {
			// What has just restarted is not followed at once.
			s.host(s.source).remember("beat")
			s.host(s.replica).awaitRemembered("beat", "before")
			s.host(s.source).forget("beat")
			return s.act(s.replica, map[string]any{"promote_to_replica_source": map[string]any{}})
		},
		func(s *crashSite) {
			s.user.assertSet(s.replica, s.source)
			s.source, s.replica = s.replica, s.source
		},
	},
}

func (s *crashSite) flavor() int {
	s.t.Helper()
	number, err := strconv.Atoi(s.user.show(s.source).Flavor.ID)
	require.NoError(s.t, err)
	return number
}

// TestKillingServeMidwayThroughAnyOperationLosesNothing does each operation once in peace, to learn what points it
// passes, and then again and again, dying at one of them each time.
func TestKillingServeMidwayThroughAnyOperationLosesNothing(t *testing.T) {
	t.Parallel()
	seed := append(givenSeeds(t), crashSeed)[0]
	forEachDatastore(t, func(t *testing.T, d datastore) {
		dataDir := newDataDir(t)
		trace := t.TempDir() + "/trace"
		s := (&crashSite{t: t, datastore: d}).start(dataDir, withEnv("COFFER_CRASHPOINT_TRACE="+trace))
		set := s.user.withReplicas(d, 1)
		s.source, s.replica = set[0].ID, set[1].ID
		s.host(s.source).remember("before")
		for _, o := range interrupted {
			s.user.awaitSuccess(o.order(s))
			o.check(s)
		}
		s.kill()
		text, err := os.ReadFile(trace)
		require.NoError(t, err)

		for _, o := range interrupted {
			for _, point := range chosen(t, seed, o.action, d.name, string(text)) {
				t.Run(point, func(t *testing.T) {
					s.t = t
					s.start(dataDir, withEnv("COFFER_CRASHPOINT="+point))
					s.awaitHealthy()
					task := o.order(s)
					s.killedAtCrashPoint()
					s.start(dataDir)
					if task == "" { // It died before it could say what it had accepted.
						task = s.user.tasks(s.source)[0].ID
					}
					s.user.awaitSuccess(task)
					o.check(s)
					s.user.assertSet(s.source, s.replica)
					s.host(s.replica).awaitRemembered("before")
					s.assertOnlyWriter(s.source, []instance{s.user.show(s.source), s.user.show(s.replica)})
					s.kill()
				})
			}
		}
	})
}

// start starts the service again, and its users sign in.
func (s *crashSite) start(dataDir string, options ...serveOption) *crashSite {
	s.t.Helper()
	s.serve = startServe(s.t, dataDir, options...)
	s.user, s.admin = s.signIn("coffer"), s.signIn("coffer-admin")
	return s
}

// awaitHealthy waits until both instances are, as they are some time after each start.
func (s *crashSite) awaitHealthy() {
	s.t.Helper()
	for _, id := range []string{s.source, s.replica} {
		s.user.awaitOperating(id, "HEALTHY")
	}
}

// chosen are some of the points that an action has passed, or all.
func chosen(t *testing.T, seed uint64, action, engine, trace string) []string {
	t.Helper()
	var points []string
	for point := range strings.FieldsSeq(trace) {
		if strings.HasPrefix(point, action+"/") && !slices.Contains(points, point) {
			points = append(points, point)
		}
	}
	require.NotEmpty(t, points, "%s passes no crash point", action)
	if os.Getenv(everyCrash) != "" {
		return points
	}
	random := rand.New(rand.NewPCG(seed, uint64(crc32.ChecksumIEEE([]byte(action+engine)))))
	random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points[:min(crashSample, len(points))]
}
