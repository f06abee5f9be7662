// Package serve runs a whole control plane in one process: gateway, api, taskmanager with the local provider, and a
// queue, over one data folder. Each of them is the same code that runs alone; only the wires between them are shorter.
package serve
