package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Plan is how a machine's network shall be.
type Plan struct {
	Links []Link
	// DNS are the servers to ask, in order.
	DNS []netip.Addr
}

// Link is one interface.
type Link struct {
	// MAC finds the interface, in small letters.
	MAC string
	// MTU is 0 for the interface's own.
	MTU  int
	Nets []Net
	// Asks says that addresses of the fourth version come by DHCP.
	Asks bool
}

// Net is one address of an interface.
type Net struct {
	Address netip.Prefix
	Routes  []Route
}

// Route is one way.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

func (r Route) isDefault() bool { return r.To.Bits() == 0 }

// document is what of network_data.json counts; see nova/virt/netutils.py and its JSON schema in Nova's documentation.
type document struct {
	Links []struct {
		ID  string `json:"id"`
		MAC string `json:"ethernet_mac_address"`
		MTU int    `json:"mtu"`
	} `json:"links"`
	Networks []struct {
		Type    string `json:"type"`
		Link    string `json:"link"`
		Address string `json:"ip_address"`
		// Netmask is missing where the address has a length.
		Netmask string `json:"netmask"`
		Routes  []struct {
			Network string `json:"network"`
			Netmask string `json:"netmask"`
			Gateway string `json:"gateway"`
		} `json:"routes"`
	} `json:"networks"`
	Services []struct {
		Type    string `json:"type"`
		Address string `json:"address"`
	} `json:"services"`
}

// Read reads network_data.json. The error joins all that is wrong.
func Read(data []byte) (Plan, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return Plan{}, fmt.Errorf("read network data: %w", err)
	}
	var p Plan
	var faults []error
	for _, l := range d.Links {
		link := Link{MAC: strings.ToLower(l.MAC), MTU: l.MTU}
		for _, n := range d.Networks {
			if n.Link != l.ID {
				continue
			}
			if n.Address == "" {
				// Addresses of the sixth version without one here come by router advertisements, which the kernel follows.
				link.Asks = link.Asks || strings.HasPrefix(n.Type, "ipv4")
				continue
			}
			address, err := prefix(n.Address, n.Netmask)
			made := Net{Address: address}
			faults = append(faults, err)
			for _, r := range n.Routes {
				to, err := prefix(r.Network, r.Netmask)
				via, err2 := netip.ParseAddr(r.Gateway)
				faults = append(faults, err, err2)
				made.Routes = append(made.Routes, Route{To: to.Masked(), Via: via})
			}
			link.Nets = append(link.Nets, made)
		}
		p.Links = append(p.Links, link)
	}
	for _, s := range d.Services {
		if s.Type != "dns" {
			continue
		}
		address, err := netip.ParseAddr(s.Address)
		faults = append(faults, err)
		p.DNS = append(p.DNS, address)
	}
	if err := errors.Join(faults...); err != nil {
		return Plan{}, fmt.Errorf("read network data: %w", err)
	}
	return p, nil
}

// prefix reads an address with a length, or with a mask of either version beside it.
func prefix(address, mask string) (netip.Prefix, error) {
	if strings.Contains(address, "/") {
		return netip.ParsePrefix(address)
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, err
	}
	if mask == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	m := net.ParseIP(mask)
	if m == nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a mask", mask)
	}
	if a.Is4() {
		m = m.To4()
	}
	ones, bits := net.IPMask(m).Size()
	if bits != a.BitLen() {
		return netip.Prefix{}, fmt.Errorf("%q is not a mask of %s", mask, address)
	}
	return netip.PrefixFrom(a, ones), nil
}
