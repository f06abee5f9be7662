// Package boot makes a machine what its user data say, from the disk of an image that is nobody's, before its agent
// serves: its network, its volume, its identity and its server.json. It is done again at each boot, and leaves as it is
// what is so already; a machine that has booted once can boot while its cloud is away.
//
//	config drive, or metadata service ──> network ──> volume ──> identity ──> server.json
package boot
