// Package server is the HTTP server under every dialect: its limits, its start and its orderly end.
package server
