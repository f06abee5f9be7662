package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

func withQuota(instances, ram, volumes int) option {
	return func(c *api.Config) { c.Quota.Instances, c.Quota.RAM, c.Quota.Volumes = instances, ram, volumes }
}

func TestAllThatACreateCallCanSayReachesTheOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	text := func(s string) *string { return &s }
	no := false
	body := order("whole")
	body.FlavorRef = structpb.NewNumberValue(2)
	body.Volume = &instancev1.NewVolume{Size: structpb.NewStringValue("3"), Type: text("8b9c7f0e-0000-4000-8000-000000000001")}
	body.Datastore = &instancev1.NewDatastore{Type: text("mariadb"), Version: text("10.6")}
	body.Databases = []*instancev1.NewDatabase{
		{Name: "shop"},
		{Name: "latin", CharacterSet: text("latin1")},
		{Name: "modern", CharacterSetCamel: text("utf8mb4"), Collate: text("utf8mb4_uca1400_ai_ci")},
		{Name: "derived", Collate: text("utf8_bin")},
	}
	body.Users = []*instancev1.NewUser{
		{Name: "app", Password: "planted-one", Databases: []*instancev1.NewUserDatabase{{Name: "shop"}, {Name: "shop"}}},
		{Name: "app", Password: "planted-two", Host: text("10.0.%")},
	}
	body.Nics = []*instancev1.NewNIC{{SubnetId: text(subnetID)}}
	body.AvailabilityZone, body.RegionName, body.Locality = text("nova"), text("RegionOne"), text("affinity")
	body.Access = &instancev1.NewAccess{IsPublic: &no, AllowedCidrs: []string{"0.0.0.0/0"}}
	body.ReplicaCount = structpb.NewNumberValue(1)
	body.Configuration = structpb.NewNullValue()
	body.Modules = structpb.NewListValue(&structpb.ListValue{})
	created := w.create("demo", body)
	assert.Equal(t, "affinity", created.GetInstance().GetLocality())
	assert.Equal(t, []string{"0.0.0.0/0"}, created.GetInstance().GetAccess().GetAllowedCidrs())
	assert.False(t, created.GetInstance().GetAccess().GetIsPublic())

	for path, content := range w.files() {
		assert.NotContains(t, content, "planted", path)
	}
	claimed := w.claim(created.GetTask().GetId())
	ordered := claimed.GetCommand().GetCreateInstance()
	assert.Equal(t, "10.6.20", ordered.GetDatastoreVersion().GetVersion())
	assert.Equal(t, int32(1024), ordered.GetFlavor().GetRam())
	assert.Equal(t, int32(3), ordered.GetVolumeSize())
	assert.Equal(t, "local", ordered.GetVolumeType())
	assert.Equal(t, networkID, ordered.GetNic().GetNetworkId(), "found by its subnet")
	assert.Equal(t, []string{"shop"}, ordered.GetUsers()[0].GetDatabases())
	assert.Equal(t, "%", ordered.GetUsers()[0].GetHost())
	charsets := []string{}
	for _, database := range ordered.GetDatabases() {
		charsets = append(charsets, database.GetCharacterSet()+" "+database.GetCollate())
	}
	assert.Equal(t, []string{
		"utf8mb3 utf8mb3_general_ci", "latin1 ", "utf8mb4 utf8mb4_uca1400_ai_ci", "utf8mb3 utf8mb3_bin",
	}, charsets)
	assert.NotContains(t, claimed.String(), "planted")

	secrets, err := w.journal().GetSecrets(t.Context(), &journalv1.GetSecretsRequest{Run: claimed.GetRun()})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app@%": "planted-one", "app@10.0.%": "planted-two"}, secrets.GetUserPasswords())
	_, err = w.journal().RecordSteps(t.Context(), &journalv1.RecordStepsRequest{Run: claimed.GetRun(), DropSecrets: true})
	require.NoError(t, err)
	secrets, err = w.journal().GetSecrets(t.Context(), &journalv1.GetSecretsRequest{Run: claimed.GetRun()})
	require.NoError(t, err)
	assert.Empty(t, secrets.GetUserPasswords())
	assert.NotContains(t, w.log.String(), "planted")
}

func TestEmptyTextsOfADatastoreMeanTheDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	empty := ""
	body := order("gopher")
	body.Datastore = &instancev1.NewDatastore{Type: &empty, Version: &empty}
	shown := w.create("demo", body).GetInstance().GetDatastore()
	assert.Equal(t, "mariadb", shown.GetType())
	assert.Equal(t, "10.11", shown.GetVersion(), "the newest series")
	assert.Equal(t, "10.11.19", shown.GetVersionNumber())
}

func TestNothingCanBeCreatedBeforeAProviderHasRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.instances().CreateInstance(w.as("demo"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("early")})
	assert.True(t, errs.IsKind(err, errs.Unavailable))
	require.ErrorContains(t, w.api.Ready(t.Context()), "provider: ")
	w.offering()
	require.NoError(t, w.api.Ready(t.Context()))
	w.create("demo", order("later"))
}
