package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

func TestAnInstanceIsMadeShownRestartedAndDeleted(t *testing.T) {
	fake := cannedAPI()
	door := handler(t, fake)

	created := play(door, request(http.MethodPost, inProject("/instances"),
		`{"instance":{"name":"orders","flavorRef":2,"volume":{"size":2},"users":[{"name":"joe","password":"pw"}]}}`))
	require.Equal(t, http.StatusOK, created.Code, created.Body)
	assert.Equal(t, taskID, created.Header().Get("Coffer-Task-Id"))
	body, ok := fake.requests[0].(*instancev1.CreateInstanceRequest)
	require.True(t, ok)
	assert.Equal(t, project, body.GetProjectId())
	assert.Equal(t, "orders", body.GetInstance().GetName())
	assert.InDelta(t, 2, body.GetInstance().GetFlavorRef().GetNumberValue(), 0)
	assert.Equal(t, "pw", body.GetInstance().GetUsers()[0].GetPassword())

	shown := play(door, request(http.MethodGet, inProject("/instances/"+instanceID), ""))
	require.Equal(t, http.StatusOK, shown.Code, shown.Body)
	assert.Contains(t, shown.Body.String(), `"used":0.12,`)

	restarted := play(door, request(http.MethodPost, inProject("/instances/"+instanceID+"/action"), `{"restart":{}}`))
	require.Equal(t, http.StatusAccepted, restarted.Code, restarted.Body)
	assert.Empty(t, restarted.Body)
	assert.Equal(t, taskID, restarted.Header().Get("Coffer-Task-Id"))

	deleted := play(door, request(http.MethodDelete, inProject("/instances/"+instanceID), ""))
	require.Equal(t, http.StatusAccepted, deleted.Code, deleted.Body)
	assert.Empty(t, deleted.Body)
	assert.Len(t, fake.requests, 4)
}
