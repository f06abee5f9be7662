// Package metadata reads what OpenStack tells a machine of itself: the user data, and which addresses its network
// interfaces have. It comes on a config drive, a small disk with the label config-2, or from the metadata service. It is
// data of who built the server; nothing of it is ever run.
package metadata
