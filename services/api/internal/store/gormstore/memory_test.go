package gormstore

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARowIsReadOnceUntilItChanges(t *testing.T) {
	m := newMemory()
	reads := 0
	get := func() int64 {
		row, err := m.get("id", func() (instanceRow, error) {
			reads++
			return instanceRow{Epoch: int64(reads)}, nil
		})
		require.NoError(t, err)
		return row.Epoch
	}
	assert.Equal(t, []int64{1, 1}, []int64{get(), get()})
	m.committing(written{"other": {}})
	m.committed(nil)
	assert.Equal(t, int64(1), get())
	m.committing(written{"id": {}})
	assert.Equal(t, []int64{2, 3}, []int64{get(), get()}, "nothing is remembered while a COMMIT runs")
	m.committed(nil)
	assert.Equal(t, []int64{4, 4}, []int64{get(), get()})
}

func TestWhatWasReadBeforeAChangeIsNotRememberedAfterIt(t *testing.T) {
	m := newMemory()
	_, err := m.get("id", func() (instanceRow, error) {
		m.committing(written{"id": {}})
		m.committed(nil)
		return instanceRow{}, nil
	})
	require.NoError(t, err)
	assert.Empty(t, m.rows)
}

func TestAFailedReadIsNotRemembered(t *testing.T) {
	m := newMemory()
	_, err := m.get("id", func() (instanceRow, error) { return instanceRow{}, errors.New("no") })
	require.Error(t, err)
	assert.Empty(t, m.rows)
}

func TestWhatWasWrittenIsRememberedUnlessItIsGone(t *testing.T) {
	deleted := int64(1)
	rows := written{"living": {Epoch: 7}, "gone": {Deleted: &deleted}}
	m := newMemory()
	m.committing(rows)
	m.committed(rows)
	row, known := m.recall("living")
	assert.True(t, known)
	assert.Equal(t, int64(7), row.Epoch)
	_, known = m.recall("gone")
	assert.False(t, known)
}
