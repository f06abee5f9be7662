// Package transfer carries the copy of a database from its agent to a replica's, over TLS 1.3 with the certificates that
// both agents have anyway. The port is open only while a copy has been announced: for one replica, by its name, with a
// word that is good once and for a limited time.
//
// The replica sends the word, then the source sends frames: a length of four bytes and so many bytes. A length of zero
// ends the copy, and a byte behind it says whether it is whole. Anything else that ends the connection is a cut, so a
// source that is killed is never taken for one that has finished.
package transfer
