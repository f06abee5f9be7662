// Package instance is the server's one database as a whole: which engine it is of, its process loop and its volume. It
// does not exist before Prepare, and an agent finds it again at its start.
package instance
