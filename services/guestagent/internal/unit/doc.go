// Package unit runs the database as a unit of systemd, where that is the machine's init. The unit is made for each start
// and gone after it; nothing of it is in a file. Systemd is its parent and has it in a control group of its own, so
// that the agent may end, be updated or be killed beside it, and that a machine that goes down stops it cleanly, before
// its volume is unmounted.
//
// The loop stays the owner: it signals the process itself and has it start again. Systemd restarts nothing.
//
// The agent asks systemd over D-Bus, by the system bus or, where there is none, by systemd's own socket. Where neither
// answers, a start fails and is tried again; nothing else is started instead, lest two databases come to run.
package unit
