// Package dbconfig is the default configuration of a database: what Coffer sets for an engine and a flavor's memory,
// where the engine's own default will not do. The guest agent writes it, and the API shows it, from here. What belongs
// to one server (addresses, folders, the size of its volume) is not here.
package dbconfig
