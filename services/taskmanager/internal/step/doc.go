// Package step holds what several workflows need: the roles that a provider plays (servers, volumes, addresses), the
// role of the guest, and the plain types that pass between them. Roles are declared here, next to their user, and
// are as small as the workflows allow; internal/local and internal/guest play them, and the conformance suite in
// internal/providertest says what every provider must do.
package step
