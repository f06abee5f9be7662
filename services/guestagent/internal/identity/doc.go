// Package identity keeps the guest's key and certificate. The key is made here and never leaves the machine: what goes
// out is a certificate request, what comes back the certificate. Until then the guest has the bootstrap certificate
// that its server was born with, which is good for that exchange alone and deleted after it.
package identity
