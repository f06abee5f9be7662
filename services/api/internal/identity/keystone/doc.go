// Package keystone asks a real Keystone who tokens stand for, the way keystonemiddleware does: GET /v3/auth/tokens with a
// token of a service user.
//
// What Keystone says of a token is believed for token_recheck, and no longer than the token lasts; so long may a
// revocation take to count here. Refusals are not remembered. While Keystone cannot be asked, remembered tokens are good
// until their recheck, and all others get an error of kind errs.Unavailable: nobody is told that a good token is bad.
package keystone
