// Package role keeps on disk what a server is in its set: source, replica, or frozen. A role is on the disk before it
// takes effect, so whatever dies in between, the next agent brings the database there and never to more than that. No
// timer changes it.
package role
