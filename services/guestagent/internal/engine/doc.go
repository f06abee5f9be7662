// Package engine says what the agent needs of a database engine. Each engine is a package below; enginetest holds all
// of them to the same behaviour.
package engine
