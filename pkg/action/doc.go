// Package action declares once what the control plane needs to know of each action: who may, in which states, what
// the user sees meanwhile, on which lane it runs and for how long. A row is keyed by the action's name, the field
// name of the oneof in coffer.command.v1.Command; docs/add-an-action.md lists what else an action needs.
package action
