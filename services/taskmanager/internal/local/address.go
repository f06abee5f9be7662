package local

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// allocation is what the folder keeps of an address.
type allocation struct {
	IP string `json:"ip"`
}

// AllocateAddress reserves a loopback address on which nobody listens.
func (p *Provider) AllocateAddress(ctx context.Context, spec step.AddressSpec) (step.Address, error) {
	if err := p.checkAddress(spec); err != nil {
		return step.Address{}, err
	}
	release, err := p.folder.locks.allocation(ctx)
	if err != nil {
		return step.Address{}, err
	}
	defer release()

	ip, err := p.folder.address(spec.InstanceID)
	if errors.Is(err, fs.ErrNotExist) {
		ip, err = p.drawAddress(ctx, spec.InstanceID)
	}
	if err != nil {
		return step.Address{}, err
	}
	return step.Address{ID: ip.String(), IP: ip.String(), NetworkID: p.folder.identity.NetworkID}, nil
}

func (p *Provider) checkAddress(spec step.AddressSpec) error {
	own := p.folder.identity
	switch {
	case spec.NetworkID != "" && spec.NetworkID != own.NetworkID:
		return errs.New(errs.Invalid, "NETWORK", "The local provider has one network, %s; %s is not known.",
			own.NetworkID, spec.NetworkID)
	case spec.SubnetID != "" && spec.SubnetID != own.SubnetID:
		return errs.New(errs.Invalid, "SUBNET", "The local provider has one subnet, %s; %s is not known.",
			own.SubnetID, spec.SubnetID)
	case spec.IPAddress != "":
		return errs.New(errs.Invalid, "IP_ADDRESS", "The local provider chooses addresses itself; %s cannot be asked for.",
			spec.IPAddress)
	}
	return checkID(spec.InstanceID)
}

// ReleaseAddress gives the address back.
func (p *Provider) ReleaseAddress(ctx context.Context, instanceID string) error {
	if err := checkID(instanceID); err != nil {
		return err
	}
	release, err := p.folder.locks.allocation(ctx)
	if err != nil {
		return err
	}
	defer release()
	return removeFile(p.folder.addressFile(instanceID))
}

func (f *folder) addressFile(instanceID string) string {
	return filepath.Join(f.addresses, instanceID+".json")
}

// address is the instance's address; fs.ErrNotExist when it has none.
func (f *folder) address(instanceID string) (netip.Addr, error) {
	var a allocation
	if err := readJSON(f.addressFile(instanceID), &a); err != nil {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(a.IP)
}

// drawAddress starts at a random place of the range, so that an address that was just given back is not at once
// somebody else's.
func (p *Provider) drawAddress(ctx context.Context, instanceID string) (netip.Addr, error) {
	taken, err := p.folder.takenAddresses()
	if err != nil {
		return netip.Addr{}, err
	}
	first := p.folder.addressRange().Addr().As4()
	const hostsOfRange = 1<<(32-rangeBits) - 2
	start := rand.IntN(hostsOfRange) //nolint:gosec // an address is no secret
	var foreign error
	for i := range hostsOfRange {
		n := 1 + (start+i)%hostsOfRange
		ip := netip.AddrFrom4([4]byte{first[0], first[1], first[2] | byte(n>>8), byte(n)}) //nolint:gosec // n has 12 bits
		if taken[ip] {
			continue
		}
		err := p.probeAddress(ctx, ip)
		if err == nil {
			return ip, writeJSON(p.folder.addressFile(instanceID), allocation{ip.String()})
		}
		if errs.IsReason(err, reasonEveryAddress) {
			return netip.Addr{}, err
		}
		foreign = err
	}
	full := errs.New(errs.OverQuota, "NO_ADDRESS", "All %d addresses of %s are taken; delete instances, or set local.address_range.",
		hostsOfRange, p.folder.identity.Range)
	if foreign != nil {
		full = full.Because(foreign)
	}
	return netip.Addr{}, full
}

func (f *folder) takenAddresses() (map[netip.Addr]bool, error) {
	entries, err := os.ReadDir(f.addresses)
	if err != nil {
		return nil, err
	}
	taken := make(map[netip.Addr]bool, len(entries))
	for _, entry := range entries {
		name, isAddress := strings.CutSuffix(entry.Name(), ".json")
		if !isAddress || checkID(name) != nil {
			continue
		}
		ip, err := f.address(name)
		if err != nil {
			return nil, err
		}
		taken[ip] = true
	}
	return taken, nil
}
