package newinstance

import (
	"net/netip"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const everywhere = "0.0.0.0/0"

func (k *checker) access() (err error) {
	if k.body.GetAccess() != nil {
		k.plan.Access, err = Access(k.body.GetAccess(), k.catalog)
	}
	return err
}

// AccessBody reads the access of an update: an object of is_public, a flag, and allowed_cidrs, a list of texts.
func AccessBody(value *structpb.Value) (*instancev1.NewAccess, error) {
	const path = "instance['access']"
	object, isObject := value.GetKind().(*structpb.Value_StructValue)
	if !isObject {
		return nil, invalid(path, "is not of type 'object'")
	}
	body := &instancev1.NewAccess{}
	for name, member := range object.StructValue.GetFields() {
		switch kind := member.GetKind().(type) {
		case *structpb.Value_BoolValue:
			if name == "is_public" {
				body.IsPublic = &kind.BoolValue
				continue
			}
		case *structpb.Value_ListValue:
			if name != "allowed_cidrs" {
				break
			}
			body.AllowedCidrs = []string{}
			for _, cidr := range kind.ListValue.GetValues() {
				body.AllowedCidrs = append(body.AllowedCidrs, cidr.GetStringValue())
			}
			if len(body.GetAllowedCidrs()) == 0 {
				return nil, invalid(path+"['allowed_cidrs']", "is empty, so that nobody could connect; leave it out to keep it")
			}
			continue
		}
		return nil, invalid(path, "'%s' is not allowed so: it takes is_public, a boolean, and allowed_cidrs, a list of CIDRs", name)
	}
	return body, nil
}

// Access checks who shall be able to connect.
func Access(wanted *instancev1.NewAccess, c *catalog.Catalog) (*store.Access, error) {
	const path = "instance['access']['allowed_cidrs']"
	for i, cidr := range wanted.GetAllowedCidrs() {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil || !prefix.Addr().Is4() {
			return nil, invalid(path, "'%s' is not an IPv4 CIDR such as 10.0.0.0/8", cidr)
		}
		if slices.Contains(wanted.GetAllowedCidrs()[:i], cidr) {
			return nil, invalid(path, "'%s' is given more than once", cidr)
		}
	}
	can := c.Provider.GetCapabilities()
	if wanted.GetIsPublic() && !can.GetPublicAddresses() {
		return nil, beyond(c, "cannot give public addresses; is_public must be false or absent.")
	}
	restricts := slices.ContainsFunc(wanted.GetAllowedCidrs(), func(cidr string) bool { return cidr != everywhere })
	if restricts && !can.GetAccessRules() {
		return nil, beyond(c, "cannot restrict who connects; allowed_cidrs must be absent or [\"%s\"].", everywhere)
	}
	return &store.Access{IsPublic: wanted.IsPublic, AllowedCIDRs: wanted.GetAllowedCidrs()}, nil
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
	// What a tenant has of his own the provider alone can see, in the task's first step.
	elsewhere := k.catalog.Provider.GetCapabilities().GetTenantNetworks()
	if order.GetNetworkId() == "" {
		for _, network := range k.catalog.Provider.GetNetworks() {
			if slices.Contains(network.GetSubnetIds(), order.GetSubnetId()) {
				order.NetworkId = network.GetId()
				return nil
			}
		}
		if elsewhere {
			return uuids("subnet_id", order.GetSubnetId())
		}
		return refused("SUBNET_NOT_FOUND", "Subnet %s not found.", order.GetSubnetId())
	}
	network, found := k.catalog.Network(order.GetNetworkId())
	if !found && elsewhere {
		return uuids("network_id", order.GetNetworkId(), order.GetSubnetId())
	}
	if !found {
		return refused("NETWORK_NOT_FOUND", "Network %s not found.", order.GetNetworkId())
	}
	if order.GetSubnetId() != "" && !slices.Contains(network.GetSubnetIds(), order.GetSubnetId()) {
		return refused("SUBNET_NOT_FOUND", "Subnet %s not found in the network %s.", order.GetSubnetId(), network.GetId())
	}
	return nil
}

// uuids keeps what is no id out of the queries that the provider makes of it; an empty one is absent.
func uuids(key string, ids ...string) error {
	for _, id := range ids {
		if _, err := uuid.Parse(id); id != "" && err != nil {
			return invalid("instance['nics'][0]", "'%s' is not the id that its '%s' must be", id, key)
		}
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
