// Package journal is the api's internal face towards the taskmanagers, proto coffer.journal.v1: the record of tasks, the
// guests' reports, the provider's catalogue, and signing. It is reached in process or over mTLS by a taskmanager's name,
// never by users.
package journal
