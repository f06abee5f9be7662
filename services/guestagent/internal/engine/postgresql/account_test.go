package postgresql

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestWhatTheSessionOfAnAgentThatDiedStillMakesIsNotMadeTwice(t *testing.T) {
	e := newEngine(t)
	require.NoError(t, e.alone(t.Context(), func(ctx context.Context) error {
		return e.in(ctx, "postgres", func(former *pgconn.PgConn) error {
			require.NoError(t, execute(ctx, former, "BEGIN"))
			require.NoError(t, execute(ctx, former, "CREATE ROLE ann"))
			made := make(chan error, 1)
			go func() {
				made <- e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return createMissing(ctx, c, findRole, "ann", "CREATE ROLE ann") })
			}()
			require.Eventually(t, func() bool {
				waits, err := query(ctx, former, "SELECT 1 FROM pg_locks WHERE NOT granted")
				return err == nil && waits != ""
			}, time.Minute, 5*time.Millisecond)
			require.NoError(t, execute(ctx, former, "COMMIT"))
			return <-made
		})
	}))
}
