package mariadb

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// replicaPrefix begins the names of the accounts of replicas; tenants may not take such a name.
const replicaPrefix = "coffer_repl_"

// accountOf is the name of a replica's account.
func accountOf(instanceID string) string {
	return replicaPrefix + strings.ToLower(instanceID[:min(8, len(instanceID))])
}

// AdmitReplica makes the replica's account on this server alone. A replica may connect from any address, since of several
// of its machine it is the kernel that chooses; the password is random.
func (e *Engine) AdmitReplica(ctx context.Context, replica engine.Member) (engine.Account, error) {
	made := engine.Account{User: accountOf(replica.InstanceID), Password: rand.Text(), Port: port}
	err := e.unheard(ctx, func(execute func(string, ...any) error) error {
		err := execute("CREATE OR REPLACE USER ?@'%' IDENTIFIED BY PASSWORD ?", made.User, nativeHash(made.Password))
		if err != nil {
			return err
		}
		return execute("GRANT REPLICATION SLAVE ON *.* TO ?@'%'", made.User)
	})
	return made, err
}

// DismissReplica drops the account and ends its sessions.
func (e *Engine) DismissReplica(ctx context.Context, instanceID string) error {
	name := accountOf(instanceID)
	err := e.unheard(ctx, func(execute func(string, ...any) error) error {
		return execute("DROP USER IF EXISTS ?@'%'", name)
	})
	if err != nil {
		return err
	}
	return e.endSessions(ctx, "USER = ?", name)
}
