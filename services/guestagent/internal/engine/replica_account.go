package engine

import "strings"

// ReplicaPrefix begins the names of the accounts of replicas, in lower case; tenants may not take such a name.
const ReplicaPrefix = "coffer_repl_"

// ReplicaAccount is the name of a replica's account at its source.
func ReplicaAccount(instanceID string) string {
	return ReplicaPrefix + strings.ToLower(instanceID[:min(8, len(instanceID))])
}
