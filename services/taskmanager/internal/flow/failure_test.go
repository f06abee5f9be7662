package flow_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

func TestASentenceNamesStepCauseAndAdviceInTrovesLength(t *testing.T) {
	short := flow.Sentence(&taskv1.TaskError{Step: "create_volume", Message: "No space is left."}, "delete the instance")
	assert.Equal(t, "create_volume: No space is left; delete the instance", short)

	long := flow.Sentence(&taskv1.TaskError{Step: "create_volume", Message: strings.Repeat("ü", 400)}, "delete the instance")
	assert.Equal(t, 255, utf8.RuneCountInString(long))
	assert.True(t, strings.HasSuffix(long, "ü…; delete the instance"))
}
