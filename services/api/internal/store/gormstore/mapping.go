package gormstore

import (
	"bytes"
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
	// changing are those fields that an update may write.
	changing []changing
	// read ends in WHERE.
	read   string
	insert string
	// update is without what it sets.
	update, where string
}

// changing is a field with what sets its column.
type changing struct {
	field []int
	set   string
}

var (
	instances = mapped[instanceRow]()
	tasks     = mapped[taskRow]()
	tokens    = mapped[tokenRow]()
	outbox    = mapped[outboxRow]()
)

// mapped takes names and order of the columns from the model, whose first field is the key.
func mapped[T any]() *mapping[T] {
	parsed, err := schema.Parse(new(T), &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic("a model of this package is no model: " + err.Error())
	}
	m := &mapping[T]{}
	for _, field := range parsed.Fields {
		m.fields = append(m.fields, field.StructField.Index)
		if field.Updatable && !field.PrimaryKey {
			m.changing = append(m.changing, changing{field.StructField.Index, field.DBName + " = ?"})
		}
	}
	columns := strings.Join(parsed.DBNames, ", ")
	marks := strings.Repeat("?, ", len(parsed.DBNames)-1) + "?"
	m.read = "SELECT " + columns + " FROM " + parsed.Table + " WHERE "
	m.insert = "INSERT INTO " + parsed.Table + " (" + columns + ") VALUES (" + marks + ")"
	m.update, m.where = "UPDATE "+parsed.Table+" SET ", " WHERE "+parsed.DBNames[0]+" = ?"
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

// save writes by the row's key what differs from the row as it was read: a column that is not written costs nothing, and
// no index of it is touched.
func (m *mapping[T]) save(db *gorm.DB, was, row *T) error {
	before, now := reflect.ValueOf(was).Elem(), reflect.ValueOf(row).Elem()
	var set []string
	var values []any
	for _, c := range m.changing {
		if value := now.FieldByIndex(c.field); !same(before.FieldByIndex(c.field), value) {
			set, values = append(set, c.set), append(values, value.Addr().Interface())
		}
	}
	if len(set) == 0 {
		return nil
	}
	return exec(db, m.update+strings.Join(set, ", ")+m.where, append(values, pointers(row, m.fields[:1])...)...)
}

// same compares two values of a column.
func same(a, b reflect.Value) bool {
	switch {
	case a.Kind() == reflect.Slice:
		return bytes.Equal(a.Bytes(), b.Bytes())
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return a.Elem().Equal(b.Elem())
	}
	return a.Equal(b)
}
