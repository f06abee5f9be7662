// Package postgresql is the PostgreSQL engine. Its data directory lies in the volume (postgresql/), cloned from a
// template of its exact version; everything that is written to configure it lies outside, in conf/, so that a copy of
// the data is never a copy of the settings.
//
// The superuser, os_admin, is the agent's alone: it may connect through the server's own socket only, which nobody but
// the agent and the database's user may open, and has no password. Tenants get no role that reaches files or programs.
//
// The agent starts postgres itself, not by pg_ctl, and asks it a query over a connection of its own each time, as a
// client would: a postmaster that hangs serves the sessions that it has and no others.
package postgresql
