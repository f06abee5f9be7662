package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// progress shows how a task goes on.
type progress interface {
	show(client.Task)
	// end leaves the cursor below what was shown.
	end()
}

// newProgress is a line per step that moves when w is a terminal, a line per change when it is not, and nothing for
// scripts that read JSON.
func newProgress(w io.Writer, as format) progress {
	if as.json() {
		return silence{}
	}
	if file, ok := w.(*os.File); ok && paintable(file) {
		return newBars(w)
	}
	return &lines{w: w, told: map[string]string{}}
}

// paintable says whether lines can be painted over: some terminals do not know how wide they are.
func paintable(file *os.File) bool {
	width, _, err := term.GetSize(int(file.Fd()))
	return err == nil && width > 0
}

type silence struct{}

func (silence) show(client.Task) {}
func (silence) end()             {}

// lines writes a line whenever a step or the task gets another status.
type lines struct {
	w    io.Writer
	told map[string]string
}

func (l *lines) show(task client.Task) {
	if !task.Ended() {
		l.tell("", task.Action, task.Status, "")
	}
	for _, step := range task.Steps {
		if step.Status != "PENDING" {
			l.tell("step ", step.Name, step.Status, remark(step))
		}
	}
	message := ""
	if task.Error != nil {
		message = task.Error.Message
	}
	l.tell("", task.Action, task.Status, message)
}

// tell keeps a task and a step of the same name apart by their kind.
func (l *lines) tell(kind, name, status, message string) {
	if l.told[kind+name] == status {
		return
	}
	l.told[kind+name] = status
	if message != "" {
		message = "  " + message
	}
	// Progress that cannot be shown is no reason to stop.
	_, _ = fmt.Fprintf(l.w, "%s  %-26s %s%s\n", time.Now().Format(time.TimeOnly), name, status, message)
}

func (l *lines) end() {}

// remark is what a step says of itself while it matters: how far it is, or what went wrong.
func remark(step client.Step) string {
	if step.Status == "SUCCEEDED" {
		return ""
	}
	return step.Message
}
