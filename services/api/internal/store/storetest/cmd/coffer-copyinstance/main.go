// Command coffer-copyinstance fills the state in a SQLite file with copies of one instance, so that lists can be
// measured without as many servers. No copy has a guest that could be dialled. Nobody else may have the file open.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

func main() {
	file := flag.String("file", "", "the state")
	id := flag.String("instance", "", "the instance to copy")
	copies := flag.Int("copies", 1, "how many copies to make")
	flag.Parse()
	if err := run(context.Background(), *file, *id, *copies); err != nil {
		fmt.Fprintln(os.Stderr, "coffer-copyinstance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, id string, copies int) (err error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(fill(ctx, tx, id, copies), tx.Commit())
}

// fill knows no more columns than it changes.
func fill(ctx context.Context, tx *sql.Tx, id string, copies int) error {
	if _, err := tx.ExecContext(ctx, "CREATE TEMP TABLE copy AS SELECT * FROM instances WHERE id = ?", id); err != nil {
		return fmt.Errorf("read the instance: %w", err)
	}
	for n := range copies {
		_, err := tx.ExecContext(ctx, "UPDATE copy SET id = ?, name = ?, guest_address = '', created = created + 1",
			uuid.NewString(), fmt.Sprintf("copy-%d", n))
		if err != nil {
			return fmt.Errorf("change the copy: %w", err)
		}
		written, err := tx.ExecContext(ctx, "INSERT INTO instances SELECT * FROM copy")
		if err != nil {
			return fmt.Errorf("write the copy: %w", err)
		}
		if rows, err := written.RowsAffected(); err != nil || rows != 1 {
			return errors.Join(err, fmt.Errorf("%d instances have the id %s", rows, id))
		}
	}
	return nil
}
