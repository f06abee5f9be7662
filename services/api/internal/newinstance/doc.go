// Package newinstance turns the body of a create call into a plan that can be carried out, or refuses it: everything a
// create call says is checked here, against the provider's catalogue, before anything is written. The codes and the
// meaning of the sentences are those of trove/instance/service.py and trove/common/apischema.py.
package newinstance
