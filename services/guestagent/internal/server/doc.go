// Package server is the agent's gRPC face: one file per call. Every call comes from a taskmanager, by its certificate;
// before enrolment nothing but Enroll is answered.
package server
