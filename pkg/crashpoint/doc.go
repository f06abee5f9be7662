// Package crashpoint marks the places where a crash test kills the process. Without the build tag "crashpoints" a mark
// is an empty function and is compiled away; with it, the process kills itself (SIGKILL: no deferred function, no
// flush) at the mark that COFFER_CRASHPOINT names.
package crashpoint
