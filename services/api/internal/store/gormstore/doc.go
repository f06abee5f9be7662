// Package gormstore keeps the api's state in SQLite, PostgreSQL or MySQL/MariaDB.
//
// Every change is a unit: a function that reads, decides and writes under the lock of one instance's row, and tells
// what it did by rows of the outbox. On PostgreSQL and MySQL a unit is a transaction; on SQLite, which has one
// writer, all units that wait share a transaction (and its fsync), each in a savepoint of its own, so that one that
// is refused takes back nothing but itself. A unit may be run twice and therefore touches nothing but its
// transaction.
//
// The numbered SQL files under migrations are the schema; the models map it, and a test compares the two on real
// servers. Times are stored as microseconds since 1970, so that all three databases sort and compare them alike.
package gormstore
