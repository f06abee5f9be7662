package firstboot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// Version is the document's. It is raised by a change that an older agent must not miss; such an agent refuses it then.
// Keys that an older agent may ignore are added without.
const Version = 1

// Limit is what Nova takes of user data, bytes: 65535 characters of base64.
const Limit = 65535 / 4 * 3

// Guest is what the document says. All of it is required but Version and MemoryMiB.
type Guest struct {
	InstanceID string `json:"instance_id"`
	// Address is the database's, on the tenant's network.
	Address netip.Addr `json:"address"`
	// ManagementAddress is where the agent listens, and nowhere else.
	ManagementAddress netip.Addr `json:"management_address"`
	AgentPort         uint16     `json:"agent_port"`
	// VolumeID is Cinder's. A machine sees its first 20 characters as the disk's serial number.
	VolumeID string `json:"volume_id"`
	// Manager is Trove's name of the engine.
	Manager string `json:"manager"`
	// Version is the engine's exact version; empty when unknown.
	Version string `json:"version,omitempty"`
	// MemoryMiB is what the flavor gives; 0 when unknown.
	MemoryMiB int       `json:"memory_mib,omitempty"`
	Bootstrap Bootstrap `json:"bootstrap"`
}

// Bootstrap is the identity for the first call.
type Bootstrap struct {
	CAPEM          string `json:"ca_pem"`
	CertificatePEM string `json:"certificate_pem"`
	KeyPEM         string `json:"key_pem"`
}

// document has the version beside the rest, so that other user data is told apart before anything else is read of it.
type document struct {
	CofferGuest int `json:"coffer_guest"`
	Guest
}

// ErrOther says that the user data is not Coffer's.
var ErrOther = errors.New("the user data is not a document of coffer's")

// Encode makes the user data. The error joins all that is wrong, and names no secret.
func Encode(g Guest) ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("encode user data: %w", err)
	}
	data, err := json.Marshal(document{CofferGuest: Version, Guest: g})
	if err != nil {
		return nil, fmt.Errorf("encode user data: %w", err)
	}
	if len(data) > Limit {
		return nil, fmt.Errorf("encode user data: %d bytes are more than the %d that Nova takes", len(data), Limit)
	}
	return data, nil
}

// Decode reads user data. ErrOther: it is somebody else's. The error names no secret.
func Decode(data []byte) (Guest, error) {
	var version struct {
		CofferGuest *int `json:"coffer_guest"`
	}
	if err := json.Unmarshal(data, &version); err != nil || version.CofferGuest == nil {
		return Guest{}, ErrOther
	}
	if *version.CofferGuest != Version {
		return Guest{}, fmt.Errorf("the user data is of version %d, not %d", *version.CofferGuest, Version)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return Guest{}, fmt.Errorf("read user data: %w", err)
	}
	if err := d.Validate(); err != nil {
		return Guest{}, fmt.Errorf("read user data: %w", err)
	}
	return d.Guest, nil
}

// Validate joins all that is wrong.
func (g Guest) Validate() error {
	var faults []error
	for _, required := range []struct{ key, value string }{
		{"instance_id", g.InstanceID},
		{"volume_id", g.VolumeID},
		{"manager", g.Manager},
		{"bootstrap.ca_pem", g.Bootstrap.CAPEM},
		{"bootstrap.certificate_pem", g.Bootstrap.CertificatePEM},
		{"bootstrap.key_pem", g.Bootstrap.KeyPEM},
	} {
		if required.value == "" {
			faults = append(faults, fmt.Errorf("%s is missing", required.key))
		}
	}
	if !g.Address.IsValid() {
		faults = append(faults, errors.New("address is missing"))
	}
	if !g.ManagementAddress.IsValid() {
		faults = append(faults, errors.New("management_address is missing"))
	}
	if g.AgentPort == 0 {
		faults = append(faults, errors.New("agent_port is missing"))
	}
	if g.MemoryMiB < 0 {
		faults = append(faults, fmt.Errorf("memory_mib is %d", g.MemoryMiB))
	}
	return errors.Join(faults...)
}
