// Package policy says who may do what: rules with Trove's names, each with a check that an operator can replace.
package policy
