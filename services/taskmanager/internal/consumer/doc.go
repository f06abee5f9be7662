// Package consumer turns rings on the queue into runs. A message says no more than that a task may be due: what the claim
// answers counts. The message is held in progress while the run advances and is acknowledged when the task's end is
// recorded, so that a crashed taskmanager's work comes to another one by itself.
//
//	message ──> claim ──> CLAIMED ──> run ──> end recorded ──> ack
//	                │                  └────> interrupted, lease lost ──> nak: the next claim goes on
//	                ├──> BUSY ──> nak with delay
//	                └──> GONE ──> ack
//
// Losing the stream, the consumer or all of JetStream costs time alone: they are made anew, and the api rings again
// for what is due.
package consumer
