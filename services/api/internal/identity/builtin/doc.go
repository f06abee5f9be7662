// Package builtin is the identity service of a control plane that has no Keystone: the part of Keystone's v3 API that
// clients of a database service use, over users who stand in a file.
//
// A token is 256 random bits. The store keeps its SHA-256 hash and what it was given for (user, project, methods),
// never the token itself, so a copy of the database opens nothing. Who the user is and which roles they have is read
// from the users file at each check: a user who was removed, disabled or given a new password has no tokens left
// after the next start, which is when the file is read.
//
//	POST /v3/auth/tokens    password -> bcrypt, a few at once -> hash of a new token into the store -> token
//	any call with a token   hash of the token -> cache (rechecked every few seconds) -> store -> users file -> Caller
//
// All users and projects live in Keystone's default domain. What the file says is changed in the file: there are no
// calls that write users or projects.
package builtin
