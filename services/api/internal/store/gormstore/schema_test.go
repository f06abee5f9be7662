package gormstore

import (
	"database/sql"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// AssertSchema compares a migrated database with the models: tables, columns and which of them may be NULL.
func AssertSchema(t *testing.T, cfg Config) {
	t.Helper()
	db, err := openDatabase(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.close()) }()
	require.NoError(t, db.migrated(t.Context(), cfg.Driver))

	known := []string{"goose_db_version", "sqlite_sequence"}
	for _, model := range models {
		parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
		require.NoError(t, err)
		known = append(known, parsed.Table)
		assertColumns(t, db.read, model, parsed)
	}
	tables, err := db.read.Migrator().GetTables()
	require.NoError(t, err)
	for _, table := range tables {
		assert.Contains(t, known, table)
	}
}

func assertColumns(t *testing.T, db *gorm.DB, model any, parsed *schema.Schema) {
	t.Helper()
	columns, err := db.Migrator().ColumnTypes(model)
	require.NoError(t, err)
	var names []string
	for _, column := range columns {
		names = append(names, column.Name())
		field := parsed.LookUpField(column.Name())
		if field == nil || field.PrimaryKey {
			continue
		}
		if nullable, ok := column.Nullable(); ok && nullable {
			assert.Contains(t, []reflect.Kind{reflect.Pointer, reflect.Slice}, field.FieldType.Kind(),
				"%s.%s may be NULL", parsed.Table, column.Name())
		}
	}
	assert.ElementsMatch(t, parsed.DBNames, names, parsed.Table)
}

// MigrateTo brings the schema to a version of old.
func MigrateTo(t *testing.T, cfg Config, version int64) *sql.DB {
	t.Helper()
	db, err := openDatabase(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.close()) })
	provider, err := db.migrator(cfg.Driver)
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), version)
	require.NoError(t, err)
	return db.schema
}
