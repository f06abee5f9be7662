package cli

import (
	"github.com/spf13/cobra"
)

// completeFirst completes the name of an instance as the first argument.
func (s *session) completeFirst(managed bool) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return s.complete(managed)(command, args, typed)
	}
}

// complete completes the names of instances. What goes wrong completes nothing: a shell is no place to say so.
func (s *session) complete(managed bool) cobra.CompletionFunc {
	return func(command *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names, err := s.names(command, managed)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func (s *session) names(command *cobra.Command, managed bool) ([]string, error) {
	service, err := s.connect(command.Context())
	if err != nil {
		return nil, err
	}
	var names []string
	if managed {
		all, err := service.ManagedInstances(command.Context(), false)
		for _, i := range all {
			names = append(names, i.Name)
		}
		return names, err
	}
	all, err := service.Instances(command.Context())
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names, err
}
