package e2e_test

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// voidAbove is the p50 of a bare 4 KiB append + fsync above which a run measures the disk and not Coffer.
const voidAbove = 2 * time.Millisecond

// figure is one measured line of docs/performance.md.
type figure struct {
	what string
	// ours and byHand are as shown; byHand is empty for a plain limit.
	ours, byHand string
	// measured is compared with the bar: at most, or at least where atLeast says so. A bar of 0 is none.
	measured, bar float64
	atLeast       bool
	unit          string
}

func (f figure) holds() bool {
	if f.atLeast {
		return f.measured >= f.bar
	}
	return f.bar == 0 || f.measured <= f.bar
}

// row is the figure as a line of the report's table.
func (f figure) row() string {
	bar, verdict := fmt.Sprintf("≤ %.2f", f.bar), "yes"
	switch {
	case f.bar == 0:
		bar, verdict = "", ""
	case f.atLeast:
		bar = fmt.Sprintf("≥ %.2f", f.bar)
	}
	if !f.holds() {
		verdict = "**no**"
	}
	return fmt.Sprintf("| %s | %s | %s | %.2f %s | %s | %s |\n", f.what, f.ours, f.byHand, f.measured, f.unit, bar, verdict)
}

// figures are those of this run, in the order of the benchmarks.
var figures []figure

// note keeps a figure for the report and shows it as the benchmark's metric.
func note(b *testing.B, f figure) {
	b.Helper()
	figures = append(figures, f)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(f.measured, strings.ReplaceAll(f.unit, " ", "_"))
	if !f.holds() {
		b.Logf("%s: %.2f %s misses the bar of %.2f", f.what, f.measured, f.unit, f.bar)
	}
}

// forEachMeasured measures each engine.
func forEachMeasured(b *testing.B, measure func(b *testing.B, d datastore)) {
	b.Helper()
	for _, d := range everyDatastore {
		b.Run(d.name, func(b *testing.B) { measure(b, d) })
	}
}

// createReadyOn creates an instance of the engine and waits until it is there.
func (c *client) createReadyOn(d datastore, name string) instance {
	c.t.Helper()
	made, id := c.create(d.newInstance(name))
	c.awaitSuccess(id)
	return c.show(made.ID)
}

// noteRatio notes the medians of two rows of spans, measured in turns, and their ratio.
func noteRatio(b *testing.B, what string, ours, byHand []time.Duration, bar float64) {
	b.Helper()
	mine, theirs := median(ours), median(byHand)
	note(b, figure{
		what: what, ours: round(mine), byHand: round(theirs), measured: float64(mine) / float64(theirs), bar: bar, unit: "times by hand",
	})
	b.Logf("%s: ours %v, by hand %v", what, ours, byHand)
}

// writeReport writes the figures as a page, if COFFER_BENCH_REPORT names one.
func writeReport(disk time.Duration) error {
	path := os.Getenv("COFFER_BENCH_REPORT")
	if path == "" || len(figures) == 0 {
		return nil
	}
	var page strings.Builder
	page.WriteString("# Performance\n\nWritten by `make bench`. Each figure stands beside the same work done by hand in the same run, in turns; the bar\n" +
		"is on the ratio, since absolute times are the machine's. Medians, unless a percentile is named. What is done by hand uses\n" +
		"the same programs, settings and templates on the same kind of volume. Where no bar stands, there is none: the figure is\n" +
		"there to be watched.\n\n")
	fmt.Fprintf(&page, "Measured on %s with %d cores and %s; a bare 4 KiB append + fsync took %s at p50",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), round(disk))
	if disk > voidAbove {
		fmt.Fprintf(&page, ".\n\n**This run is void:** the bare fsync was slower than %s.\n", voidAbove)
	} else {
		page.WriteString(".\n")
	}
	page.WriteString("\n| what | Coffer | by hand | measured | bar | holds |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, f := range figures {
		page.WriteString(f.row())
	}
	return os.WriteFile(path, []byte(page.String()), 0o644)
}

// bareSync measures a 4 KiB append + fsync, done by hand.
func bareSync(folder string, times int) ([]time.Duration, error) {
	file, err := os.Create(filepath.Join(folder, "bare-fsync"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	defer func() { _ = file.Close() }()
	block := make([]byte, 4096)
	took := make([]time.Duration, 0, times)
	for range times {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// percentile is the p-th (0 to 100) of the samples.
func percentile[T cmp.Ordered](samples []T, p float64) T {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

func median[T cmp.Ordered](samples []T) T { return percentile(samples, 50) }

func round(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// residentMiB is a process's resident memory.
func residentMiB(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "VmRSS:")
	require.True(t, found)
	var kib float64
	_, err = fmt.Sscan(after, &kib)
	require.NoError(t, err)
	return kib / 1024
}

// processorTime is what a process has used of the processors so far. The kernel counts it in ticks of 1/100 s.
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var user, system int64
	_, err = fmt.Sscan(fields[11], &user)
	require.NoError(t, err)
	_, err = fmt.Sscan(fields[12], &system)
	require.NoError(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func discard(r io.ReadCloser) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		_ = r.Close()
		return err
	}
	return r.Close()
}
