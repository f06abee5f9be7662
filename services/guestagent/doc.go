// Package guestagent is the program beside one database: it owns the database's process, files and accounts, and does
// what taskmanagers ask of it over mTLS. It holds no key but its own.
package guestagent
