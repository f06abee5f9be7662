// Package logfile bounds the logs of a server. The processes that write them, the agent and its database, hold them open
// for as long as they live, so a log is copied and emptied in place, not moved.
package logfile
