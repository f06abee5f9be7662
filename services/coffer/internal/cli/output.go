package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

const (
	formatTable = "table"
	formatJSON  = "json"
)

// format is how a verb answers: for people, or for scripts.
type format struct{ name string }

func (f *format) flag(command *cobra.Command) {
	command.Flags().StringVarP(&f.name, "output", "o", formatTable, "table or json")
	command.PreRunE = func(*cobra.Command, []string) error {
		if f.name != formatTable && f.name != formatJSON {
			return fmt.Errorf("--output must be table or json, is %q", f.name)
		}
		return nil
	}
}

func (f *format) json() bool { return f.name == formatJSON }

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// printTable writes columns under their headings.
func printTable(w io.Writer, heading []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// printFields writes one thing, a line for each of its fields that is known.
func printFields(w io.Writer, fields [][2]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, field := range fields {
		if field[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\n", field[0], field[1]); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
