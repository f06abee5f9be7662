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

func TestWhoFollowsWhomIsReadOnceUntilItChanges(t *testing.T) {
	m := newMemory()
	reads := 0
	replicas := func(rows ...instanceRow) map[string][]string {
		known, err := m.following(func() ([]instanceRow, error) {
			reads++
			return rows, nil
		})
		require.NoError(t, err)
		return known.replicas
	}
	change := func(id string, row instanceRow) {
		rows := written{id: row}
		m.committing(rows)
		m.committed(rows)
	}
	follows := instanceRow{ID: "r", ReplicaOf: "s"}
	assert.Equal(t, map[string][]string{"s": {"r"}}, replicas(follows))
	change("alone", instanceRow{ID: "alone"})
	change("r", follows)
	assert.Equal(t, map[string][]string{"s": {"r"}}, replicas(), "nothing of it changed")
	assert.Equal(t, 1, reads)
	change("r", instanceRow{ID: "r"})
	assert.Empty(t, replicas())
	deleted := int64(1)
	change("r", follows)
	change("r", instanceRow{ID: "r", ReplicaOf: "s", Deleted: &deleted})
	assert.Empty(t, replicas())
	assert.Equal(t, 3, reads)
}
