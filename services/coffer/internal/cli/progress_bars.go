package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// precision is how exactly durations are shown.
const precision = 10 * time.Millisecond

// redraw is how often the terminal is painted.
const redraw = 100 * time.Millisecond

// bars has a line for each step, painted over and over.
type bars struct {
	container *mpb.Progress
	steps     map[string]*bar
}

func newBars(w io.Writer) *bars {
	return &bars{
		container: mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(redraw)),
		steps:     map[string]*bar{},
	}
}

func (b *bars) show(task client.Task) {
	for _, step := range task.Steps {
		known, ok := b.steps[step.Name]
		if !ok {
			known = newBar(b.container, step)
			b.steps[step.Name] = known
		}
		known.update(step)
	}
}

func (b *bars) end() {
	for _, left := range b.steps {
		left.painted.Abort(false)
	}
	b.container.Wait()
}

// bar is the line of one step.
type bar struct {
	painted *mpb.Bar

	mu    sync.Mutex
	step  client.Step
	began time.Time
	took  time.Duration
}

func newBar(container *mpb.Progress, step client.Step) *bar {
	b := &bar{step: step}
	style := mpb.SpinnerStyle("⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧").PositionLeft()
	b.painted = container.MustAdd(1, style.Build(),
		mpb.BarWidth(2),
		mpb.PrependDecorators(decor.Name(step.Name, decor.WC{W: 26, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.words() })),
		mpb.BarFillerClearOnComplete(),
	)
	return b
}

func (b *bar) update(step client.Step) {
	b.mu.Lock()
	b.step = step
	running := step.Status == "RUNNING" || step.Status == "UNDOING"
	if running && b.began.IsZero() {
		b.began = time.Now()
	}
	if !running && !b.began.IsZero() && b.took == 0 {
		b.took = time.Since(b.began)
	}
	b.mu.Unlock()
	if step.Status == "SUCCEEDED" {
		b.painted.SetCurrent(1)
	}
}

func (b *bar) words() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	words := []string{strings.ToLower(b.step.Status)}
	took := b.took
	if took == 0 && !b.began.IsZero() {
		took = time.Since(b.began)
	}
	if took > 0 {
		words = append(words, took.Round(precision).String())
	}
	if b.step.Attempt > 1 {
		words = append(words, fmt.Sprintf("attempt %d", b.step.Attempt))
	}
	if said := remark(b.step); said != "" {
		words = append(words, said)
	}
	return strings.Join(words, "  ")
}
