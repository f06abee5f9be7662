// Package process is the sole owner of the database process: one loop with one select, in which every way the database
// can start, stop or die is to be seen. Others ask it and wait.
//
// The wanted state (running, stopped, fenced) is on disk. Alone, the loop brings the database there and keeps it there:
// a database that dies is started again, at once and then with growing pauses. An agent that ends leaves the database
// running, and the next one finds it by its record.
package process
