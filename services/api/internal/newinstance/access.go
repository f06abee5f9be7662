package newinstance

import (
	"net/netip"
	"slices"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const everywhere = "0.0.0.0/0"

func (k *checker) access() error {
	wanted := k.body.GetAccess()
	if wanted == nil {
		return nil
	}
	for i, cidr := range wanted.GetAllowedCidrs() {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil || !prefix.Addr().Is4() {
			return invalid("instance['access']['allowed_cidrs']", "'%s' is not an IPv4 CIDR such as 10.0.0.0/8", cidr)
		}
		if slices.Contains(wanted.GetAllowedCidrs()[:i], cidr) {
			return invalid("instance['access']['allowed_cidrs']", "'%s' is given more than once", cidr)
		}
	}
	can := k.catalog.Provider.GetCapabilities()
	if wanted.GetIsPublic() && !can.GetPublicAddresses() {
		return k.beyond("cannot give public addresses; is_public must be false or absent.")
	}
	restricts := slices.ContainsFunc(wanted.GetAllowedCidrs(), func(cidr string) bool { return cidr != everywhere })
	if restricts && !can.GetAccessRules() {
		return k.beyond("cannot restrict who connects; allowed_cidrs must be absent or [\"%s\"].", everywhere)
	}
	k.plan.Access = &store.Access{IsPublic: wanted.IsPublic, AllowedCIDRs: wanted.GetAllowedCidrs()}
	return nil
}

func (k *checker) nic() error {
	nics := k.body.GetNics()
	if len(nics) == 0 {
		return nil
	}
	if len(nics) > 1 {
		return invalid("instance['nics']", "has %d elements; there can be at most 1", len(nics))
	}
	nic := nics[0]
	if nic.NetId != nil && nic.NetworkId != nil && nic.GetNetId() != nic.GetNetworkId() {
		return invalid("instance['nics'][0]", "names two networks, in 'net-id' and in 'network_id'")
	}
	order := &commandv1.NIC{NetworkId: nic.GetNetworkId(), SubnetId: nic.GetSubnetId(), IpAddress: nic.GetIpAddress()}
	if order.GetNetworkId() == "" {
		order.NetworkId = nic.GetNetId()
	}
	if order.GetIpAddress() == "" {
		order.IpAddress = nic.GetV4FixedIp()
	}
	if order.GetNetworkId() == "" && order.GetSubnetId() == "" {
		return refused("NETWORK_NOT_PROVIDED", "Instance network or subnet needs to be specified.")
	}
	if err := k.network(order); err != nil {
		return err
	}
	if err := k.fixedAddress(order); err != nil {
		return err
	}
	k.plan.NIC = order
	return nil
}

// network finds network and subnet among the provider's, and the network of a subnet that is named alone.
func (k *checker) network(order *commandv1.NIC) error {
	if order.GetNetworkId() == "" {
		for _, network := range k.catalog.Provider.GetNetworks() {
			if slices.Contains(network.GetSubnetIds(), order.GetSubnetId()) {
				order.NetworkId = network.GetId()
				return nil
			}
		}
		return refused("SUBNET_NOT_FOUND", "Subnet %s not found.", order.GetSubnetId())
	}
	network, found := k.catalog.Network(order.GetNetworkId())
	if !found {
		return refused("NETWORK_NOT_FOUND", "Network %s not found.", order.GetNetworkId())
	}
	if order.GetSubnetId() != "" && !slices.Contains(network.GetSubnetIds(), order.GetSubnetId()) {
		return refused("SUBNET_NOT_FOUND", "Subnet %s not found in the network %s.", order.GetSubnetId(), network.GetId())
	}
	return nil
}

func (k *checker) fixedAddress(order *commandv1.NIC) error {
	if order.GetIpAddress() == "" {
		return nil
	}
	const path = "instance['nics'][0]['ip_address']"
	if address, err := netip.ParseAddr(order.GetIpAddress()); err != nil || !address.Is4() {
		return invalid(path, "'%s' is not an IPv4 address", order.GetIpAddress())
	}
	if order.GetSubnetId() == "" {
		return invalid(path, "needs a 'subnet_id' beside it")
	}
	if !k.catalog.Provider.GetCapabilities().GetFixedAddresses() {
		return k.beyond("chooses addresses itself; ip_address must be absent.")
	}
	return nil
}
