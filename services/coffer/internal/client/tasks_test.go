package client

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnEventIsBehindWhatWasReadLater(t *testing.T) {
	// Each is the same task a little later than the one before.
	course := []Task{
		{Status: "QUEUED"},
		{Status: "RUNNING", Steps: []Step{{Status: "PENDING"}, {Status: "PENDING"}}},
		{Status: "RUNNING", Steps: []Step{{Status: "RUNNING", Attempt: 1}, {Status: "PENDING"}}},
		{Status: "RUNNING", Steps: []Step{{Status: "SUCCEEDED", Attempt: 1}, {Status: "PENDING"}}},
		{Status: "RUNNING", Steps: []Step{{Status: "SUCCEEDED", Attempt: 1}, {Status: "RUNNING", Attempt: 1}}},
		{Status: "RUNNING", Steps: []Step{{Status: "SUCCEEDED", Attempt: 1}, {Status: "RUNNING", Attempt: 2}}},
		{Status: "RUNNING", Steps: []Step{{Status: "SUCCEEDED", Attempt: 1}, {Status: "FAILED", Attempt: 2}}},
		{Status: "RUNNING", Steps: []Step{{Status: "UNDOING", Attempt: 1}, {Status: "FAILED", Attempt: 2}}},
		{Status: "RUNNING", Steps: []Step{{Status: "UNDONE", Attempt: 1}, {Status: "FAILED", Attempt: 2}}},
		{Status: "FAILED", Steps: []Step{{Status: "UNDONE", Attempt: 1}, {Status: "FAILED", Attempt: 2}}},
	}
	for i, task := range course {
		for j, other := range course {
			assert.Equal(t, i < j, task.behind(other), "%d behind %d", i, j)
		}
	}
}
