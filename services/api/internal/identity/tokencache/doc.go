// Package tokencache remembers for a short time who tokens stand for, so that most calls ask nobody. It holds hashes,
// never tokens, and never a refusal.
package tokencache
