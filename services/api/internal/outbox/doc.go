// Package outbox carries committed messages to JetStream and rings again what nobody seems to have heard.
//
//	accept, journal ──one transaction──▶ SQL: rows + outbox ──relay──▶ JetStream ──▶ taskmanagers, watchers
//	                                          ▲                                          │
//	                                          └──────────── claim (compare and swap) ────┘
//	sweep: at start and every few seconds, a new ring for each task that is due and unclaimed
//
// What is in SQL is true; a message only says "look". The relay sends each one at least once, in the order of their
// commits, and forgets it after the ack; its id makes JetStream drop a repetition. A message that JetStream lost after
// its ack is made up for by the sweep, whose ring has an id of its own. So all of JetStream can vanish, and costs time.
package outbox
