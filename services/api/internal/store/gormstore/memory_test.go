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
	m.committing([]string{"other"})
	m.committed()
	assert.Equal(t, int64(1), get())
	m.committing([]string{"id"})
	assert.Equal(t, []int64{2, 3}, []int64{get(), get()}, "nothing is remembered while a COMMIT runs")
	m.committed()
	assert.Equal(t, []int64{4, 4}, []int64{get(), get()})
}

func TestWhatWasReadBeforeAChangeIsNotRememberedAfterIt(t *testing.T) {
	m := newMemory()
	_, err := m.get("id", func() (instanceRow, error) {
		m.committing([]string{"id"})
		m.committed()
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
