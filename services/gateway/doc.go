// Package gateway is the REST door of Coffer: HTTP in, gRPC out, and nothing of databases between. What a request means
// is decided by the api behind the connection; how it looks on the wire, by a dialect under internal/dialect.
package gateway
