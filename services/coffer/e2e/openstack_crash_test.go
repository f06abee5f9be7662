package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stage is a part of an instance's life in which the service dies.
type stage struct {
	action string
	order  func(user *client, id string) (task string)
	check  func(t *testing.T, user *client, id string)
}

// stages are those after the create, in order.
var stages = []stage{
	{
		"resize_flavor",
		func(user *client, id string) string { return user.act(id, resizeTo("2")) },
		func(t *testing.T, user *client, id string) { assert.Equal(t, "2", user.show(id).Flavor.ID) },
	},
	{
		"resize_volume",
		func(user *client, id string) string { return user.act(id, growTo(2)) },
		func(t *testing.T, user *client, id string) { assert.Equal(t, 2, user.show(id).Volume.Size) },
	},
	{
		"delete_instance",
		func(user *client, id string) string { return user.delete(id) },
		func(t *testing.T, user *client, id string) {
			assert.Equal(t, http.StatusNotFound, user.call(http.MethodGet, "/instances/"+id, nil).code)
		},
	},
}

// TestOpenStackServiceKilledAtAnyStepLosesNothing lets the service die in each part of an instance's life: when a step has
// done its work and has not written that it has. It goes on when it is started again, and nothing is there twice.
func TestOpenStackServiceKilledAtAnyStepLosesNothing(t *testing.T) {
	b := openLab(t)
	before := b.inventory()
	points := b.crashPoints()
	t.Run("instances", func(t *testing.T) {
		for n := range longest(points) {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				start := b.in(t).starter()
				var made instance
				point := ofRound(points["create_instance"], n)
				t.Log(point)
				s, user, task := start.crashed(point, func(user *client) (task string) {
					made, task = user.create(newInstance("crashed"))
					return task
				})
				user.awaitSuccess(task)
				ready := user.show(made.ID)
				assert.Equal(t, "ACTIVE", ready.Status)
				user.awaitOperating(made.ID, "HEALTHY")
				host := s.machine(ready)
				host.remember("kept")
				for _, stage := range stages {
					point := ofRound(points[stage.action], n)
					t.Log(point)
					s.kill()
					s, user, task = start.crashed(point, func(user *client) string {
						user.awaitOperating(made.ID, "HEALTHY")
						return stage.order(user, made.ID)
					})
					user.awaitSuccess(task)
					stage.check(t, user, made.ID)
					if stage.action != "delete_instance" {
						user.awaitOperating(made.ID, "HEALTHY")
						assert.Equal(t, []string{"kept"}, host.remembered())
					}
				}
			})
		}
	})
	assert.Equal(t, before, b.inventory())
}

// crashPoints are those in which a step of this life is done and not yet written down.
func (b *lab) crashPoints() map[string][]string {
	b.t.Helper()
	trace := filepath.Join(b.t.TempDir(), "trace")
	s := b.serve(withEnv("COFFER_CRASHPOINT_TRACE=" + trace))
	user := s.signIn("coffer")
	made := user.createReady("traced")
	actions := []string{"create_instance"}
	for _, stage := range stages {
		user.awaitSuccess(stage.order(user, made.ID))
		actions = append(actions, stage.action)
	}
	s.interrupt()

	points := pointsIn(b.t, trace, actions...)
	for action, all := range points {
		points[action] = nil
		for _, point := range all {
			if os.Getenv(everyCrash) != "" || strings.HasSuffix(point, "/done/before") {
				points[action] = append(points[action], point)
			}
		}
		require.NotEmpty(b.t, points[action], action)
	}
	return points
}

// longest is how many rounds it takes until each action has died at each of its points.
func longest(points map[string][]string) (rounds int) {
	for _, all := range points {
		rounds = max(rounds, len(all))
	}
	return rounds
}

func ofRound(points []string, n int) string { return points[n%len(points)] }
