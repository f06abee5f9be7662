// Package identity says who is calling. Whoever can turn a token into a Caller is an Authenticator: the built-in
// Keystone subset of package builtin, or a Keystone elsewhere, of package keystone. Both remember callers for a short
// time, in a tokencache, and pass the tests of identitytest. Everything behind the door reads the Caller from the
// context and asks nothing else about tokens.
package identity
