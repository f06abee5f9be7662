package durable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Log is a file of records, a line of JSON each. To add one costs one write to the disk, where WriteFile costs several.
type Log struct {
	path string
	// file is nil while there is none.
	file *os.File
	// end is behind the last record that is known to be whole.
	end int64
	// added are the records since the log was opened or replaced.
	added int
}

// OpenLog opens a log and hands each of its records to read, oldest first; a missing file is an empty log. What a crash
// has left of a record that was being added is dropped.
func OpenLog(path string, read func(record []byte) error) (*Log, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Log{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	for record := range bytes.Lines(whole) {
		if err := read(record); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &Log{path: path, file: file, end: int64(len(whole))}, nil
}

// Add adds a record and returns once it is on the disk. After an error it is not in the log.
func (l *Log) Add(record any) error {
	if l.file == nil {
		return l.Replace(record)
	}
	line, err := lines(record)
	if err == nil {
		_, err = l.file.WriteAt(line, l.end)
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("add to %s: %w", l.path, errors.Join(err, l.file.Truncate(l.end)))
	}
	l.end += int64(len(line))
	l.added++
	return nil
}

// Added is how many records were added since the log was opened or replaced.
func (l *Log) Added() int { return l.added }

// Replace makes a log of these records alone.
func (l *Log) Replace(records ...any) error {
	data, err := lines(records...)
	if err != nil {
		return fmt.Errorf("replace %s: %w", l.path, err)
	}
	file, err := replace(l.path, data, 0o600)
	if file != nil {
		err = errors.Join(err, l.Close())
		*l = Log{path: l.path, file: file, end: int64(len(data))}
	}
	return err
}

// Close closes the file.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

func lines(records ...any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, record := range records {
		if err := encoder.Encode(record); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}
