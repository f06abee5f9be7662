package guestimage

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

const (
	// sumProperty is the property with what the image's content is known by.
	sumProperty = cloud.ImagePrefix + "sha512"
	// leastRAM is what a machine needs besides its database's flavor, MiB.
	leastRAM = 512
)

// fixed are the properties of every guest image; see Glance's useful image properties and Nova's.
var fixed = map[string]string{
	"os_type": "linux", "os_distro": "debian",
	// A database that is stopped in order writes out what it holds. Seconds.
	"os_shutdown_timeout": "60",
	"hw_rng_model":        "virtio",
	// The image boots by BIOS, and has no driver of AHCI, on which some machine types would have the config drive.
	"hw_firmware_type": "bios", "hw_cdrom_bus": "scsi", "hw_scsi_model": "virtio-scsi",
}

// Visibilities are who may see an image, in Glance's words; the first is the least.
var Visibilities = []string{
	string(images.ImageVisibilityPrivate), string(images.ImageVisibilityShared), string(images.ImageVisibilityCommunity),
	string(images.ImageVisibilityPublic),
}

// Registered is what became of an image.
type Registered struct {
	ID, Name string
	// Engines are exact versions by the engines' names.
	Engines map[string]string
	// Uploaded is false when the cloud had it.
	Uploaded bool
}

// Registry is a cloud's Glance.
type Registry struct{ api *gophercloud.ServiceClient }

// Open logs in.
func Open(ctx context.Context, login client.Login) (*Registry, error) {
	provider, endpoint, err := login.LogIn(ctx)
	if err != nil {
		return nil, err
	}
	api, err := openstack.NewImageV2(provider, endpoint)
	if err != nil {
		return nil, fmt.Errorf("find Glance in the catalog: %w", err)
	}
	return &Registry{api: api}, nil
}

// Register uploads an image's file, unless the cloud has it. An upload that was interrupted is begun again.
func (r *Registry) Register(ctx context.Context, file, visibility string) (Registered, error) {
	m, err := readManifest(file)
	if err != nil {
		return Registered{}, err
	}
	registered := Registered{Name: m.Name + "-" + m.Version, Engines: m.Engines}
	image, err := r.find(ctx, m.SHA512)
	if err != nil {
		return registered, fmt.Errorf("look for the image: %w", err)
	}
	if image == nil {
		if image, err = images.Create(ctx, r.api, describe(m, images.ImageVisibility(visibility))).Extract(); err != nil {
			return registered, fmt.Errorf("make image %s: %w", registered.Name, client.Explain(err))
		}
	}
	registered.ID = image.ID
	if image.Status == images.ImageStatusActive {
		return registered, nil
	}
	registered.Uploaded = true
	return registered, r.upload(ctx, image.ID, file, m.SHA512)
}

// find is an image with the content: one that can be used, else one that still waits for it.
func (r *Registry) find(ctx context.Context, sum string) (*images.Image, error) {
	all, err := cloud.All(ctx, images.List(r.api, images.ListOpts{Tags: []string{cloud.ImageTag}}), images.ExtractImages)
	if err != nil {
		return nil, client.Explain(err)
	}
	for _, status := range []images.ImageStatus{images.ImageStatusActive, images.ImageStatusQueued} {
		i := slices.IndexFunc(all, func(i images.Image) bool { return i.Status == status && i.Properties[sumProperty] == sum })
		if i >= 0 {
			return &all[i], nil
		}
	}
	return nil, nil
}

func describe(m manifest, visibility images.ImageVisibility) images.CreateOpts {
	properties := maps.Clone(fixed)
	properties[sumProperty], properties[cloud.ImagePrefix+"version"] = m.SHA512, m.Version
	tags := []string{cloud.ImageTag}
	for _, engine := range slices.Sorted(maps.Keys(m.Engines)) {
		properties[cloud.EngineProperty(engine)] = m.Engines[engine]
		tags = append(tags, engine)
	}
	return images.CreateOpts{
		Name: m.Name + "-" + m.Version, Visibility: &visibility, Tags: tags, Properties: properties,
		ContainerFormat: "bare", DiskFormat: "qcow2", MinRAM: leastRAM, MinDisk: (m.DiskMiB + 1023) / 1024,
	}
}

// upload sends the file, and holds what has arrived against it.
func (r *Registry) upload(ctx context.Context, id, path, sum string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := imagedata.Upload(ctx, r.api, id, file).ExtractErr(); err != nil {
		return fmt.Errorf("upload image %s: %w", id, client.Explain(err))
	}
	image, err := images.Get(ctx, r.api, id).Extract()
	if err != nil {
		return fmt.Errorf("look at image %s: %w", id, client.Explain(err))
	}
	if image.Status != images.ImageStatusActive {
		return fmt.Errorf("image %s is %s after its upload", id, image.Status)
	}
	if image.Properties["os_hash_algo"] == "sha512" && image.Properties["os_hash_value"] != sum {
		return fmt.Errorf("image %s did not arrive whole: delete it and register it again", id)
	}
	return nil
}
