package network_test

import (
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/network"
)

func sample(t *testing.T) network.Plan {
	t.Helper()
	data, err := os.ReadFile("testdata/network_data.json")
	require.NoError(t, err)
	plan, err := network.Read(data)
	require.NoError(t, err)
	return plan
}

func route(to, via string) network.Route {
	return network.Route{To: netip.MustParsePrefix(to), Via: netip.MustParseAddr(via)}
}

func TestNetworkDataIsReadAsNovaWritesIt(t *testing.T) {
	assert.Equal(t, network.Plan{
		Links: []network.Link{
			{MAC: "fa:16:3e:00:00:01", MTU: 1442, Nets: []network.Net{
				{Address: netip.MustParsePrefix("10.20.0.5/16"), Routes: []network.Route{route("0.0.0.0/0", "10.20.0.1")}},
				{Address: netip.MustParsePrefix("fd00:20::5/64"), Routes: []network.Route{route("::/0", "fd00:20::1")}},
			}},
			{MAC: "fa:16:3e:00:00:02", MTU: 1500, Nets: []network.Net{
				{Address: netip.MustParsePrefix("10.30.0.7/16"), Routes: []network.Route{
					route("0.0.0.0/0", "10.30.0.1"), route("192.168.7.0/24", "10.30.0.9"),
				}},
			}},
		},
		DNS: []netip.Addr{netip.MustParseAddr("10.20.0.2")},
	}, sample(t))
}

func TestANetworkWithDHCPIsAsked(t *testing.T) {
	plan, err := network.Read([]byte(`{"links":[{"id":"a","ethernet_mac_address":"fa:16:3e:00:00:01","mtu":null}],
		"networks":[{"id":"network0","type":"ipv4_dhcp","link":"a"},{"id":"network1","type":"ipv6_slaac","link":"a"}]}`))
	require.NoError(t, err)
	assert.Equal(t, network.Plan{Links: []network.Link{{MAC: "fa:16:3e:00:00:01", Asks: true}}}, plan)
}

func TestAllThatIsWrongIsTold(t *testing.T) {
	_, err := network.Read([]byte(`{"links":[{"id":"a"}],"services":[{"type":"dns","address":"d"}],"networks":[
		{"link":"a","ip_address":"x","netmask":"255.0.0.0"},{"link":"a","ip_address":"10.0.0.1","netmask":"ffff::"},
		{"link":"a","ip_address":"10.0.0.1","netmask":"255.0.0.0","routes":[{"network":"0.0.0.0","netmask":"0.0.0.0","gateway":"g"}]}]}`))
	for _, wrong := range []string{`"x"`, `"ffff::" is not a mask of 10.0.0.1`, `"g"`, `"d"`} {
		require.ErrorContains(t, err, wrong)
	}
	_, err = network.Read([]byte("no"))
	require.Error(t, err)
}
