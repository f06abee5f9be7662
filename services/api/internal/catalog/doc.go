// Package catalog answers what can be created: the datastores, flavors and networks that the provider registered, held
// in memory because every answer about an instance needs a piece of them.
package catalog
