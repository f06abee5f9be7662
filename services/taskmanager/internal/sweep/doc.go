// Package sweep finds what nobody owns: servers, volumes, ports and the rest that a cloud holds for an instance that is
// deleted, and instances whose server is gone. Strays are told at once and removed after a grace time, unless that is
// switched off.
//
// What carries the id of an instance that the control plane has never known is told and never removed: it may be another
// one's, or this one's state may have been set back.
package sweep
