// Package pki gives every process of Coffer a name and a way to prove it: certificates of one small CA whose names
// are URIs (coffer://instance/<id>, coffer://taskmanager/<name>), in the manner of SPIFFE, checked on both sides of
// every mTLS connection. Host names and addresses count for nothing.
//
// Keys are ECDSA P-256. The CA's key stays with the api; everybody else sends a certificate request, and what is
// signed carries the name that the signer chose, never the one that was asked for. A guest's certificate serves and
// cannot be used to call: it has no client usage.
package pki
