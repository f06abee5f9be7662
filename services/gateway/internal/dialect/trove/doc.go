// Package trove speaks the wire of OpenStack Trove's v1.0 API on the one side and Coffer's gRPC services on the
// other. What the two have in common is generated from the http rules of the protos; this package holds what Trove
// does its own way: the /action body, faults, links, numbers, and which keys are absent.
//
// A request passes ServeHTTP's steps in order, then the generated mux. Whichever of them refuses, the answer is made
// in one place, refuse, because Trove asks for token and project before it looks at anything else.
package trove
