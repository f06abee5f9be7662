// Package server is the public face of the api: one file per RPC, each a short list of what is asked in its order:
// who may, what is allowed, what is written.
package server
