// Package flow runs workflows: the steps of an action, in order, each journalled, retried, limited in time and, where
// it took something, undone.
//
// A workflow is a list that reads like a runbook. How its end will look to the user comes first:
//
//	flow.New(action.CreateInstance, settleCreate).
//		Step("create_volume", w.createVolume, flow.Undo(w.deleteVolume)).
//		Step("create_server", w.createServer, flow.Undo(w.deleteServer), flow.Timeout(5*time.Minute)).
//		Step("await_healthy", w.awaitHealthy, flow.Waits())
//
// # A run
//
// A worker claims a task and gets what earlier runs recorded; Engine.Run goes on from there until the end is recorded:
//
//	claim ──> step 1 ──> done ──> step 2 ──> done ── … ──> step n ──> finish SUCCEEDED
//	             │                   │
//	             │ fails             │ a user cancelled (at the step's border)
//	             v                   v
//	          failed ────────────> undoing/undone step 2 ──> undoing/undone step 1 ──> finish FAILED
//	                                                                              or finish CANCELLED
//
// Each word that is not a step is one journal write, one transaction at the api. The claim says which steps there will
// be. The write after a step says that the step succeeded, what it changed of the instance, and that the next one runs;
// after the last one, that the task has ended. So there are two rules for a step:
// it may be run again after it has already happened, because a crash can fall between the step and its record; and
// it needs to remember nothing, because what it passed to Run.Change is in the claim of the next run.
//
// # Who may write
//
// The journal in SQL is authoritative, this process is not. A claim comes with a lease, which the run renews every
// third of its length, and an epoch, which every write and every changing call to a guest carries. When either is
// refused as superseded, or the lease could have ended because the journal has been out of reach for its length, the
// run stops where it is and records nothing more; another claim resumes. The only clock that is trusted for this is
// this process's monotonic one, measured from before the last renewal was sent.
//
// # Failures
//
// What a step answers says what happens next. An error of kind Unavailable, or one that the network made, is tried
// again with exponential backoff until the step's time limit; every other one is final, and so are the step's limit,
// the task's limit and a panic. The failure is journalled first, then the steps are undone in reverse, the failed
// one included, each with retries and a limit of its own; an undo that fails is recorded and does not keep the
// others from being tried. Last, Settle says what the user shall see.
//
// # No return
//
// Some things cannot be taken back, such as the promotion of a server to which writes go. A step that does one is
// marked NoReturn. From its success on, or from the moment at which it made that durable itself (Run.PastReturn), the
// task only goes forward: a later failure undoes nothing, is tried again until its limit, and ends the task as failed
// where it stands; a stop is not heard any more.
//
// # Members and notes
//
// A task on a replication set holds all of its members: Run.Members, changed by Run.ChangeMember. One of them that fails
// by itself is noted with Run.Problem and the rest goes on. Run.Note journals a fact, such as which replica was elected,
// for the steps and the runs to come. All of it counts with the step's success, like Run.Change.
//
// # Stopping
//
// A stop that the journal asks for (a user cancels, a delete waits) is honoured at the next step border, or at once in a
// step that only Waits. Cancelling the context of Engine.Run stops at the next border too, but undoes nothing: it is
// a shutdown, and the next claim goes on. A step that does not come to its border in the grace period is cut off, which
// is no worse than a crash.
package flow
