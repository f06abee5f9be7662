// Package workflow has one file per action: what its user sees, its steps in order with their undo, and what each of
// them does. What every step needs besides (journal, retries, time limits, spans) is flow's.
package workflow
