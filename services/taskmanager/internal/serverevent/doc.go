// Package serverevent tells what becomes of servers by themselves. Nobody who tells waits for the receiver: what is overtaken
// before it is taken is dropped.
package serverevent
