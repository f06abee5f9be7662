package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with the settings.
type Fault struct {
	// File and Line say where it stands; Line is 0 when it stands in no file.
	File string
	Line int
	// Key is dotted; empty when the fault concerns the file as a whole.
	Key      string
	Sentence string
}

func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "%s:%d: ", f.File, f.Line)
	}
	if f.Key != "" {
		fmt.Fprintf(&b, "%s: ", f.Key)
	}
	b.WriteString(f.Sentence)
	return b.String()
}

// Faults are all that is wrong, in the order of the file.
type Faults []Fault

// Error has a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, 0, len(f))
	for _, fault := range f {
		lines = append(lines, fault.String())
	}
	return strings.Join(lines, "\n")
}

// orNil is an error only when there is a fault.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return f
}

// validator is a struct that can say what is wrong with it.
type validator interface{ Validate() error }

// validate asks the target, and splits what it joined into faults.
func validate(target any, source *file) Faults {
	v, ok := target.(validator)
	if !ok {
		return nil
	}
	var faults Faults
	for _, err := range flatten(v.Validate()) {
		key, sentence, found := strings.Cut(err.Error(), ": ")
		if !found || strings.Contains(key, " ") {
			faults = append(faults, Fault{Sentence: err.Error()})
			continue
		}
		faults = append(faults, source.fault(key, sentence))
	}
	return faults
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, flatten(part)...)
	}
	return all
}
