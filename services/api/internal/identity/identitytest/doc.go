// Package identitytest is what every identity.Authenticator must do, whoever stands behind it.
package identitytest
