// Package network gives a machine's interfaces the addresses and routes that OpenStack tells of in network_data.json. An
// interface to which somebody else has given addresses is left as it is.
//
// A machine has at most one default route of each kind, the tenant's. What comes in through another interface is answered
// through it: its address has a table of routes of its own, with the default route of its network.
package network
