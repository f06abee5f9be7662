package gormstore

import (
	"database/sql"

	"gorm.io/gorm"
)

// exec runs a statement whose text never changes. gorm builds such a statement anew for each call, only to number its
// marks where a database wants that; SQLite takes it as it stands, in a fraction of the time.
func exec(db *gorm.DB, statement string, args ...any) error {
	kept, ok := db.Statement.ConnPool.(*statements)
	if !ok {
		return db.Exec(statement, args...).Error
	}
	_, err := kept.ExecContext(db.Statement.Context, statement, args...)
	return asGorm(db, err)
}

// row is exec for a query that finds one row.
func row(db *gorm.DB, statement string, args ...any) *sql.Row {
	if kept, ok := db.Statement.ConnPool.(*statements); ok {
		return kept.QueryRowContext(db.Statement.Context, statement, args...)
	}
	return db.Raw(statement, args...).Row()
}

// rows is exec for a query that finds any number.
func rows(db *gorm.DB, statement string, args ...any) (*sql.Rows, error) {
	if kept, ok := db.Statement.ConnPool.(*statements); ok {
		return kept.QueryContext(db.Statement.Context, statement, args...)
	}
	return db.Raw(statement, args...).Rows()
}

// asGorm names the errors that gorm names.
func asGorm(db *gorm.DB, err error) error {
	if translator, ok := db.Dialector.(gorm.ErrorTranslator); ok && err != nil {
		return translator.Translate(err)
	}
	return err
}
