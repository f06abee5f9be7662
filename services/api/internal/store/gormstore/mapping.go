package gormstore

import (
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// mapping reads and writes whole rows of one model by statements that are built once. gorm builds a statement anew for
// each call, which takes longer than SQLite takes to run it; the rows that every request touches go this way.
type mapping[T any] struct {
	fields [][]int
	// changing are those fields that an update writes.
	changing [][]int
	// read ends in WHERE.
	read   string
	insert string
	update string
}

var (
	instances = mapped[instanceRow]()
	tasks     = mapped[taskRow]()
	tokens    = mapped[tokenRow]()
)

// mapped takes names and order of the columns from the model, whose first field is the key.
func mapped[T any]() *mapping[T] {
	parsed, err := schema.Parse(new(T), &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic("a model of this package is no model: " + err.Error())
	}
	m := &mapping[T]{}
	var changing []string
	for _, field := range parsed.Fields {
		m.fields = append(m.fields, field.StructField.Index)
		if field.Updatable && !field.PrimaryKey {
			m.changing = append(m.changing, field.StructField.Index)
			changing = append(changing, field.DBName+" = ?")
		}
	}
	columns := strings.Join(parsed.DBNames, ", ")
	marks := strings.Repeat("?, ", len(parsed.DBNames)-1) + "?"
	m.read = "SELECT " + columns + " FROM " + parsed.Table + " WHERE "
	m.insert = "INSERT INTO " + parsed.Table + " (" + columns + ") VALUES (" + marks + ")"
	m.update = "UPDATE " + parsed.Table + " SET " + strings.Join(changing, ", ") + " WHERE " + parsed.DBNames[0] + " = ?"
	return m
}

// pointers are those to the row's fields, in the order given.
func pointers[T any](row *T, fields [][]int) []any {
	value := reflect.ValueOf(row).Elem()
	pointers := make([]any, len(fields), len(fields)+1)
	for i, index := range fields {
		pointers[i] = value.FieldByIndex(index).Addr().Interface()
	}
	return pointers
}

// take reads the one row that the rest of the statement, from its WHERE on, finds.
func (m *mapping[T]) take(db *gorm.DB, into *T, where string, args ...any) error {
	err := row(db, m.read+where, args...).Scan(pointers(into, m.fields)...)
	if errors.Is(err, sql.ErrNoRows) {
		return gorm.ErrRecordNotFound
	}
	return err
}

// find reads all rows that the rest of the statement finds.
func (m *mapping[T]) find(db *gorm.DB, where string, args ...any) (list []T, err error) {
	found, err := rows(db, m.read+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var one T
		if err := found.Scan(pointers(&one, m.fields)...); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, found.Err()
}

// create inserts the row.
func (m *mapping[T]) create(db *gorm.DB, row *T) error {
	return exec(db, m.insert, pointers(row, m.fields)...)
}

// save writes the row back by its key.
func (m *mapping[T]) save(db *gorm.DB, row *T) error {
	key := pointers(row, m.fields[:1])
	return exec(db, m.update, append(pointers(row, m.changing), key...)...)
}
