// Package dialect speaks the wires of three APIs on the one side and Coffer's gRPC services on the other: OpenStack
// Trove's v1.0, and the few calls of Huawei's DDM and Open Telekom's DMS that Coffer has. What they have in common is
// generated from the http rules of the protos; this package holds what Trove does its own way (the /action body,
// faults, links, numbers, and which keys are absent) and, in ddm.go and dms.go, how the manners of the other two differ.
//
// A request passes ServeHTTP's steps in order, then the generated mux. Whichever of them refuses, the answer is made
// in one place, refuse, because token and project are asked for before anything else is looked at.
package dialect
