// Package local plays the provider's roles with what one host has: a server is a guest agent of its own, a volume is
// a file system in a file (or, without root, a folder), an address is one of 127.0.0.0/8.
//
// Its one idea is that the folder is the truth. Nothing about a server is known that is not written in the data
// folder or seen in the kernel, so a provider may die at any instruction, and another one, in this process or in
// another, finds what there is and goes on:
//
//	<data folder>/
//	  local/identity.json        the folder's own id, its /20 of loopback addresses, its network
//	  local/lock                 one file, whose bytes are locks (see lock.go)
//	  local/addresses/<id>       which address an instance has
//	  volumes/<id>/              image or plain folder, and volume.json, written last
//	  servers/<id>/              server.json (written last: it makes the server one that shall run), agent.process,
//	                             bootstrap/, agent/, run/, log/, and data, a link to the volume
//	  templates/<manager>-<version>/
//
// What is half made has no volume.json or server.json, and is made again or removed by the next call. A deletion
// takes these files away first, for the same reason.
//
// Several providers may share a data folder (two taskmanagers on one host). Each can create and delete; one at a
// time, the holder of the supervision lock, watches the servers.
package local
