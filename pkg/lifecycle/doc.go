// Package lifecycle starts the parts of a program in order and stops them in the reverse order, each waited for. A
// part may rely on everything that was added before it, from its first instruction to its last.
package lifecycle
