package mariadb

import (
	"context"
	"io"
	"net"
	"time"
)

// hangUpLimit is how long the end of a connection may wait for the database's own.
const hangUpLimit = 100 * time.Millisecond

// connection is closed when both sides have hung up. A shutdown that finds a client still there waits for it, in steps
// of 20 ms (close_connections in MariaDB's sql/mysqld.cc), and a restart would be that much longer.
type connection struct{ *net.UnixConn }

func dial(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", address)
	if err != nil {
		return nil, err
	}
	return connection{conn.(*net.UnixConn)}, nil
}

// Close tells the database that nothing follows and reads to its end. What fails of that is of no account any more.
func (c connection) Close() error {
	if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(hangUpLimit)) == nil {
		_, _ = io.Copy(io.Discard, c.UnixConn)
	}
	return c.UnixConn.Close()
}
