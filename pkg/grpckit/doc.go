// Package grpckit sets gRPC up the same way everywhere: the channel that stays inside a process, the server that
// listens, and the connection to another program.
package grpckit
