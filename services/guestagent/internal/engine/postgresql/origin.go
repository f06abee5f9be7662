package postgresql

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Every cluster that initdb makes has a number of its own, by which servers tell whether their logs are of one origin
// (system_identifier). Clones of a template would all have the template's, so each gets its own: otherwise a replica that
// is led to a foreign server could take that one's log for its source's.

const (
	controlName = "global/pg_control"
	// segmentOrigin is where the first page of each file of the log has the number (XLogLongPageHeaderData).
	segmentOrigin = 24
	segmentFiles  = "????????????????????????"
)

var native = binary.NativeEndian

// takeOrigin gives a clone a number of its own, unless it has one. The control file is the last to get it, so what was cut
// is done again.
func (e *Engine) takeOrigin(template string) error {
	of, err := os.ReadFile(filepath.Join(template, controlName))
	if err != nil {
		return err
	}
	path := filepath.Join(e.dataDir(), controlName)
	control, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if native.Uint64(control) != native.Uint64(of) {
		return nil
	}
	// As initdb does: the time, and what makes two of one second differ.
	origin := uint64(time.Now().Unix())<<32 | uint64(rand.Uint32()) //nolint:gosec // no secret, and after 1970
	segments, err := filepath.Glob(filepath.Join(e.dataDir(), "pg_wal", segmentFiles))
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if err := setOrigin(segment, origin); err != nil {
			return err
		}
	}
	if err := changeControl(control, origin); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := durable.WriteFile(path, control, 0o600); err != nil {
		return err
	}
	return e.server.Give(path)
}

func setOrigin(segment string, origin uint64) error {
	file, err := os.OpenFile(segment, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(native.AppendUint64(nil, origin), segmentOrigin)
	return errors.Join(err, file.Close())
}

var errNoSum = errors.New("it has no checksum")

// changeControl puts the number in front and its checksum where the old one is: behind all that it covers, which is more
// in each version.
func changeControl(control []byte, origin uint64) error {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	for end := 8; end+4 <= len(control); end += 4 {
		if crc32.Checksum(control[:end], castagnoli) == native.Uint32(control[end:]) {
			native.PutUint64(control, origin)
			native.PutUint32(control[end:], crc32.Checksum(control[:end], castagnoli))
			return nil
		}
	}
	return errNoSum
}
