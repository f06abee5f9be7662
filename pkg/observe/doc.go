// Package observe sets up what operators watch a program by: its log lines, its metrics and its traces. Nothing secret
// passes through it.
package observe
