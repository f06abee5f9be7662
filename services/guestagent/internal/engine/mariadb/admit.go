package mariadb

import (
	"context"
	"crypto/rand"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// AdmitReplica makes the replica's account on this server alone. A replica may connect from any address, since of several
// of its machine it is the kernel that chooses; the password is random.
func (e *Engine) AdmitReplica(ctx context.Context, replica engine.Member) (engine.Account, error) {
	made := engine.Account{User: engine.ReplicaAccount(replica.InstanceID), Password: rand.Text(), Port: port}
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
	name := engine.ReplicaAccount(instanceID)
	err := e.unheard(ctx, func(execute func(string, ...any) error) error {
		return execute("DROP USER IF EXISTS ?@'%'", name)
	})
	if err != nil {
		return err
	}
	return e.endSessions(ctx, "USER = ?", name)
}
