package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/services/api"
)

// CloudsFile is the file in the data folder that OpenStack's clients read.
const CloudsFile = "clouds.yaml"

// The clouds in it.
const (
	MemberCloud = "coffer"
	ReaderCloud = "coffer-reader"
	AdminCloud  = "coffer-admin"
)

// clouds is the file as OpenStack's convention has it.
type clouds struct {
	Clouds map[string]Cloud `yaml:"clouds"`
}

// Cloud is one entry of it.
type Cloud struct {
	Auth               CloudAuth `yaml:"auth"`
	RegionName         string    `yaml:"region_name"`
	IdentityAPIVersion string    `yaml:"identity_api_version"`
	Interface          string    `yaml:"interface"`
}

// CloudAuth is who logs in where.
type CloudAuth struct {
	AuthURL           string `yaml:"auth_url"`
	Username          string `yaml:"username"`
	Password          string `yaml:"password"`
	ProjectName       string `yaml:"project_name"`
	UserDomainName    string `yaml:"user_domain_name"`
	ProjectDomainName string `yaml:"project_domain_name"`
}

// owners are the users and projects behind the clouds.
var owners = map[string]struct{ user, project string }{
	MemberCloud: {"demo", "demo"},
	ReaderCloud: {"reader", "demo"},
	AdminCloud:  {"admin", "admin"},
}

// ReadCloud finds an entry in the text of a clouds.yaml.
func ReadCloud(text []byte, name string) (Cloud, error) {
	var file clouds
	if err := yaml.Unmarshal(text, &file); err != nil {
		return Cloud{}, fmt.Errorf("read %s: %w", CloudsFile, err)
	}
	cloud, ok := file.Clouds[name]
	if !ok {
		return Cloud{}, fmt.Errorf("%s has no cloud %q", CloudsFile, name)
	}
	return cloud, nil
}

// writeClouds makes the users at the first start, and at each start writes where they log in. Their passwords stand in
// this file and nowhere else; it answers false when the file with them is gone.
func writeClouds(config Config) (known bool, err error) {
	path := filepath.Join(config.Serve.DataDir, CloudsFile)
	identityURL := config.Serve.PublicURL + identityMount + "/v3"
	region := config.API.Identity.Builtin.Region
	err = api.BootstrapUsers(config.API.Identity.Builtin.UsersFile, func(passwords map[string]string) error {
		return saveClouds(path, headOfServe, identityURL, region, passwords)
	})
	if err != nil {
		return false, fmt.Errorf("make the first users: %w", err)
	}
	passwords, err := savedPasswords(path)
	if err != nil || passwords == nil {
		return false, err
	}
	return true, saveClouds(path, headOfServe, identityURL, region, passwords)
}

// The first lines of the file say who writes it.
const (
	headOfServe = "# Written by `coffer serve` at each start; the passwords were made at the first one and stand only here.\n"
	headOfInit  = "# Written once by `coffer identity init`; the passwords stand only here.\n"
)

// InitIdentity makes the users file of an api that runs alone, and a clouds.yaml with the passwords of its users at the
// given path. It touches neither file where it is there already: fs.ErrExist.
func InitIdentity(config Config, cloudsFile string) error {
	if !config.hasUsers() {
		return fmt.Errorf("api.identity.provider is %s: its users are made there", config.API.Identity.Provider)
	}
	if _, err := os.Lstat(cloudsFile); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", cloudsFile, cmp.Or(err, fs.ErrExist))
	}
	identity := config.API.Identity.Builtin
	url := identity.URL
	if url == "" {
		url = config.API.PublicURL + identity.Mount
	}
	made := false
	err := api.BootstrapUsers(identity.UsersFile, func(passwords map[string]string) error {
		made = true
		return saveClouds(cloudsFile, headOfInit, url+"/v3", identity.Region, passwords)
	})
	if err == nil && !made {
		err = fmt.Errorf("%s: %w", identity.UsersFile, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("make the first users: %w", err)
	}
	return nil
}

// savedPasswords are those of the file, by user; nil when there is no file.
func savedPasswords(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	passwords := map[string]string{}
	for name, owner := range owners {
		if cloud, err := ReadCloud(text, name); err == nil {
			passwords[owner.user] = cloud.Auth.Password
		}
	}
	return passwords, nil
}

func saveClouds(path, head, identityURL, region string, passwords map[string]string) error {
	file := clouds{Clouds: map[string]Cloud{}}
	for name, owner := range owners {
		file.Clouds[name] = Cloud{
			Auth: CloudAuth{
				AuthURL: identityURL, Username: owner.user, Password: passwords[owner.user], ProjectName: owner.project,
				UserDomainName: "Default", ProjectDomainName: "Default",
			},
			RegionName: region, IdentityAPIVersion: "3", Interface: "public",
		}
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := writeWhole(path, append([]byte(head), text...)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
