// Package volume measures the use of the data volume. Where the volume is a plain folder, nothing but the agent holds
// its size: at 100 % the database is made read-only until the volume is grown or emptied.
package volume
