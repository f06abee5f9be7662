package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client/registration"
)

// serviceCloud is the entry of clouds.yaml that api.identity.keystone looks for unless it is told otherwise.
const serviceCloud = "coffer"

// loginFile is where the service user's login goes; nil for the screen.
type loginFile struct{ *os.File }

// openLoginFile makes the file; an empty path means the screen.
func openLoginFile(path string) (loginFile, error) {
	if path == "" {
		return loginFile{}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return loginFile{}, fmt.Errorf("write the service user's login: %w", err)
	}
	return loginFile{file}, nil
}

// keep writes the login, where there is one that is known. On the screen it is told only when nobody else knows it.
func (f loginFile) keep(command *cobra.Command, secret registration.Secret) error {
	text, err := yaml.Marshal(map[string]any{"clouds": map[string]any{serviceCloud: loginOf(secret)}})
	if err != nil {
		return fmt.Errorf("write the service user's login: %w", err)
	}
	if f.File == nil {
		if secret.Generated || secret.CredentialSecret != "" {
			command.Printf("\n# The service user's clouds.yaml. It is told here and nowhere else.\n%s", text)
		}
		return nil
	}
	if !secret.Known() {
		command.Printf("%s is not written: the service user's password is not known here\n", f.Name())
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the service user's login: %w", err)
	}
	return nil
}

// loginOf is an entry of clouds.yaml. Where there is an application credential, the password is not needed.
func loginOf(secret registration.Secret) map[string]any {
	entry := map[string]any{"region_name": secret.Region, "identity_api_version": "3"}
	if secret.CredentialSecret != "" {
		entry["auth_type"] = "v3applicationcredential"
		entry["auth"] = map[string]string{
			"auth_url": secret.AuthURL, "application_credential_id": secret.CredentialID,
			"application_credential_secret": secret.CredentialSecret,
		}
		return entry
	}
	entry["auth"] = map[string]string{
		"auth_url": secret.AuthURL, "username": secret.User, "password": secret.Password,
		"project_name": secret.Project, "user_domain_id": secret.Domain, "project_domain_id": secret.Domain,
	}
	return entry
}
