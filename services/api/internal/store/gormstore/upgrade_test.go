package gormstore_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

func TestWhatTheFirstSchemaHeldIsThereAfterTheMigration(t *testing.T) {
	for name, cfg := range map[string]gormstore.Config{
		"sqlite":   {Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")},
		"postgres": another(t, postgres(t)),
		"mariadb":  another(t, mariadb(t)),
	} {
		t.Run(name, func(t *testing.T) {
			lived, failed := uuid.NewString(), uuid.NewString()
			task := fillFirstSchema(t, gormstore.MigrateTo(t, cfg, 1), cfg.Driver, lived, failed)

			require.NoError(t, gormstore.Migrate(t.Context(), cfg))
			gormstore.AssertSchema(t, cfg)
			s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()

			for id, everActive := range map[string]bool{lived: true, failed: false} {
				instance, err := s.Instance(t.Context(), "project", id)
				require.NoError(t, err)
				assert.Equal(t, everActive, instance.EverActive)
				assert.Empty(t, instance.ReplicaOf)
			}
			repeated, err := s.Accept(t.Context(), store.Acceptance{
				Action:      action.Action{Name: action.CreateInstance},
				Idempotency: &store.Idempotency{ProjectID: "project", Key: "key", Fingerprint: []byte("print")},
			})
			require.NoError(t, err)
			assert.True(t, repeated.Repeated)
			assert.Equal(t, task, repeated.Task.ID)
			assert.Empty(t, repeated.Task.Notes)
		})
	}
}

// another is an empty database on the same server.
func another(t *testing.T, cfg gormstore.Config) gormstore.Config {
	t.Helper()
	name := "upgrade" + strconv.FormatInt(time.Now().UnixNano(), 36)
	driver := map[string]string{gormstore.DriverPostgres: "pgx", gormstore.DriverMySQL: "mysql"}[cfg.Driver]
	db, err := sql.Open(driver, cfg.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	cfg.DSN = strings.NewReplacer("dbname=postgres", "dbname="+name, "/s)/coffer", "/s)/"+name).Replace(cfg.DSN)
	return cfg
}

// fillFirstSchema writes an instance whose creation succeeded, under a key, and one whose creation failed. It answers
// with the first one's task.
func fillFirstSchema(t *testing.T, db *sql.DB, driver, lived, failed string) (task string) {
	t.Helper()
	insert := func(table string, row map[string]any) {
		t.Helper()
		var columns, marks []string
		var values []any
		for column, value := range row {
			columns = append(columns, column)
			values = append(values, value)
			mark := "?"
			if driver == gormstore.DriverPostgres {
				mark = "$" + strconv.Itoa(len(values))
			}
			marks = append(marks, mark)
		}
		_, err := db.ExecContext(t.Context(),
			"INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
		require.NoError(t, err)
	}
	for _, id := range []string{failed, lived} {
		state := map[bool]string{true: "SUCCEEDED", false: "FAILED"}[id == lived]
		instance := map[string]any{"id": id, "project_id": "project", "silent": false}
		for column := range strings.SplitSeq("name datastore_version_id flavor_id volume_type region availability_zone locality "+
			"access task_status server_status service_status server_id volume_id guest_address addresses fault_message "+
			"fault_details", " ") {
			instance[column] = ""
		}
		for column := range strings.SplitSeq("ram volume_size agent_life_began agent_sequence volume_used_bytes "+
			"volume_total_bytes epoch tasks_accepted created updated", " ") {
			instance[column] = 1
		}
		insert("instances", instance)
		task = uuid.NewString()
		row := map[string]any{
			"id": task, "instance_id": id, "action": "create_instance", "state": state, "project_id": "project",
			"command": []byte{}, "finished": 1,
		}
		for column := range strings.SplitSeq("instance_name request_id status_before steps worker error_code error_step "+
			"error_message", " ") {
			row[column] = ""
		}
		for column := range strings.SplitSeq("ordinal progress epoch claims stop rings rung created", " ") {
			row[column] = 1
		}
		insert("tasks", row)
	}
	insert("idempotency_keys", map[string]any{
		"project_id": "project", "idempotency_key": "key", "fingerprint": []byte("print"), "task_id": task,
		"expires": time.Now().Add(time.Hour).UnixMicro(),
	})
	return task
}
