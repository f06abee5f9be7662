package firstboot_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/firstboot"
)

func guest() firstboot.Guest {
	return firstboot.Guest{
		InstanceID: "4f9f1d3e", Address: netip.MustParseAddr("10.20.0.5"), ManagementAddress: netip.MustParseAddr("10.30.0.7"),
		AgentPort: 8781, VolumeID: "0d9a6c1f-9e2b-4d1c-8f57-2f8d4a3f6b1e", Manager: "mariadb", Version: "10.11.14", MemoryMiB: 512,
		Bootstrap: firstboot.Bootstrap{CAPEM: "ca\n", CertificatePEM: "certificate\n", KeyPEM: "s3cret\n"},
	}
}

func TestWhatIsEncodedIsDecoded(t *testing.T) {
	data, err := firstboot.Encode(guest())
	require.NoError(t, err)
	assert.JSONEq(t, `{"coffer_guest":1,"instance_id":"4f9f1d3e","address":"10.20.0.5","management_address":"10.30.0.7",
		"agent_port":8781,"volume_id":"0d9a6c1f-9e2b-4d1c-8f57-2f8d4a3f6b1e","manager":"mariadb","version":"10.11.14",
		"memory_mib":512,"bootstrap":{"ca_pem":"ca\n","certificate_pem":"certificate\n","key_pem":"s3cret\n"}}`, string(data))
	decoded, err := firstboot.Decode(data)
	require.NoError(t, err)
	assert.Equal(t, guest(), decoded)
}

func TestAllThatIsMissingIsNamedAtOnce(t *testing.T) {
	_, err := firstboot.Encode(firstboot.Guest{MemoryMiB: -1})
	for _, key := range []string{
		"instance_id", "address", "management_address", "agent_port", "volume_id", "manager", "memory_mib",
		"bootstrap.ca_pem", "bootstrap.certificate_pem", "bootstrap.key_pem",
	} {
		require.ErrorContains(t, err, key)
	}
	_, err = firstboot.Decode([]byte(`{"coffer_guest":1,"instance_id":"a"}`))
	require.ErrorContains(t, err, "volume_id is missing")
}

func TestOtherUserDataIsToldApart(t *testing.T) {
	for _, text := range []string{"", "#cloud-config\n", "{}", "[]", `{"coffer_guest":null}`} {
		_, err := firstboot.Decode([]byte(text))
		require.ErrorIs(t, err, firstboot.ErrOther, text)
	}
	_, err := firstboot.Decode([]byte(`{"coffer_guest":2,"bootstrap":"of another shape"}`))
	assert.EqualError(t, err, "the user data is of version 2, not 1")
}

func TestAKeyOfALaterWriterIsIgnored(t *testing.T) {
	data, err := firstboot.Encode(guest())
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(data, &keys))
	keys["later"] = "x"
	data, err = json.Marshal(keys)
	require.NoError(t, err)
	decoded, err := firstboot.Decode(data)
	require.NoError(t, err)
	assert.Equal(t, guest(), decoded)
}

func TestMoreThanNovaTakesIsRefused(t *testing.T) {
	big := guest()
	big.Bootstrap.KeyPEM = strings.Repeat("x", firstboot.Limit)
	_, err := firstboot.Encode(big)
	require.ErrorContains(t, err, "49149")
	assert.NotContains(t, err.Error(), "xx")
}
