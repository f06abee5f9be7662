package gateway_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	flavorv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/flavor/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	quotav1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/quota/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

var resourceFiles = []protoreflect.FileDescriptor{
	datastorev1.File_coffer_datastore_v1_datastore_proto,
	eventv1.File_coffer_event_v1_event_proto,
	flavorv1.File_coffer_flavor_v1_flavor_proto,
	instancev1.File_coffer_instance_v1_instance_proto,
	mgmtv1.File_coffer_mgmt_v1_mgmt_proto,
	quotav1.File_coffer_quota_v1_quota_proto,
	taskv1.File_coffer_task_v1_task_proto,
}

// camelKeys are the only keys of Trove's wire that are not in snake case.
var camelKeys = []string{"flavorRef", "restorePoint", "nextAvailable", "characterSet"}

func TestEveryFieldHasTheKeyOfTrovesWire(t *testing.T) {
	keys := map[string][]string{}
	for _, file := range resourceFiles {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			name := string(message.FullName())
			for j := range message.Fields().Len() {
				field := message.Fields().Get(j)
				keys[name] = append(keys[name], field.JSONName())
				if strings.ToLower(field.JSONName()) != field.JSONName() {
					assert.Contains(t, camelKeys, field.JSONName(), "%s lacks a json_name", field.FullName())
				}
				assert.NotContains(t, []protoreflect.Kind{
					protoreflect.FloatKind, protoreflect.BytesKind, protoreflect.EnumKind,
				}, field.Kind(), field.FullName())
			}
		}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		text.WriteString(name + ": " + strings.Join(keys[name], " ") + "\n")
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/keys.txt", []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile("testdata/keys.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), text.String())
}

func TestWhatComesFromAQueryIsText(t *testing.T) {
	for _, file := range resourceFiles {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				name := methods.Get(j).Name()
				if !strings.HasPrefix(string(name), "List") && !strings.HasPrefix(string(name), "Get") {
					continue
				}
				fields := methods.Get(j).Input().Fields()
				for k := range fields.Len() {
					assert.Equal(t, protoreflect.StringKind, fields.Get(k).Kind(), fields.Get(k).FullName())
				}
			}
		}
	}
}
