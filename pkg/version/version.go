// Package version says which Coffer this is. The build stamps it into every program.
package version

// Version is the tag of the build, such as v0.1.0; "dev" where nothing was stamped.
var Version = "dev"
