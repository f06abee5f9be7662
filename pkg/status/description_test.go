package status

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryStatusThatIsShownHasADescription(t *testing.T) {
	for s := range serviceWords {
		assert.NotEmpty(t, s.Description(), s)
	}
	for _, s := range taskErrors {
		assert.NotEmpty(t, s.Description(), s)
	}
	for s := range taskWords {
		assert.NotEmpty(t, s.Description(), s)
	}
}
