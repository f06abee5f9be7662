// Package call is what happens around every RPC before and after its own work: an id for the request, figures, errors
// turned into what may be shown, and on the public face the token and the project.
package call
