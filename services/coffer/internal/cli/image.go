package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/client/guestimage"
)

func newImage(s *session) *cobra.Command {
	command := newGroup("image", "Bring the guest image to an OpenStack cloud", groupRun)
	command.AddCommand(newImageRegister(s))
	return command
}

func newImageRegister(s *session) *cobra.Command {
	var file, visibility string
	command := &cobra.Command{
		Use: "register", Short: "Upload the guest image to Glance, and with it its datastore versions; safe to repeat", Args: cobra.NoArgs,
		Long: `Upload the guest image to Glance with the tags and properties by which the taskmanagers find it.

The datastore versions are those of the engines in the image. The cloud must be one whose project the taskmanagers' user
can see images of. An older image stays: instances run on it.`,
		Example: `  coffer --os-cloud coffer image register --file bin/image/coffer-guest-v0.3.0.qcow2`,
		RunE: func(command *cobra.Command, _ []string) error {
			if !slices.Contains(guestimage.Visibilities, visibility) {
				return fmt.Errorf("--visibility must be one of %s, is %q", strings.Join(guestimage.Visibilities, ", "), visibility)
			}
			registry, err := guestimage.Open(command.Context(), client.Login{Cloud: s.cloud})
			if err != nil {
				return err
			}
			registered, err := registry.Register(command.Context(), file, visibility)
			if err != nil {
				return err
			}
			command.Println(sentence(registered))
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&file, "file", "", "the image, with its manifest beside it")
	flags.StringVar(&visibility, "visibility", guestimage.Visibilities[0], "who sees the image: "+strings.Join(guestimage.Visibilities, ", "))
	if err := command.MarkFlagRequired("file"); err != nil {
		panic(err) // The flag stands above.
	}
	return command
}

func sentence(r guestimage.Registered) string {
	found := "there"
	if r.Uploaded {
		found = "made"
	}
	var engines []string
	for _, engine := range slices.Sorted(maps.Keys(r.Engines)) {
		engines = append(engines, engine+" "+r.Engines[engine])
	}
	return fmt.Sprintf("%-8s image %s %s with %s", found, r.ID, r.Name, strings.Join(engines, ", "))
}
