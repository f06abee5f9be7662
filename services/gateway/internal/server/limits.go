package server

import "time"

// Limits of every request. They are far above what a client of Trove sends.
const (
	// MaxBodyBytes bounds a request body.
	MaxBodyBytes = 1 << 20
	// MaxBodyDepth bounds how deeply a JSON body nests.
	MaxBodyDepth = 64
	// MaxHeaderBytes bounds the request line and the headers together.
	MaxHeaderBytes = 64 << 10
	// ReadHeaderTimeout bounds how long a client may take to send its headers.
	ReadHeaderTimeout = 10 * time.Second
	// BodyTimeout bounds how long a client may take to send its body.
	BodyTimeout = 30 * time.Second
	// RequestTimeout bounds the work for a request. It is longer than Trove's guest calls, for which some wait.
	RequestTimeout = 4 * time.Minute
	// WriteTimeout bounds a request from its headers to the end of its answer. A stream of events sets a limit of its
	// own for each write.
	WriteTimeout = 5 * time.Minute
	// IdleTimeout is how long a connection is kept for its next request.
	IdleTimeout = 2 * time.Minute
	// DrainTimeout is how long running requests may go on when the server stops.
	DrainTimeout = 5 * time.Second

	// HeartbeatInterval is the longest silence on a stream of events.
	HeartbeatInterval = 15 * time.Second
	// EventWriteTimeout bounds each write to a stream of events, so that a client that vanished is let go.
	EventWriteTimeout = 30 * time.Second

	// MaxLimitedProjects bounds how many projects' rate limits are remembered, times two.
	MaxLimitedProjects = 10_000
)
