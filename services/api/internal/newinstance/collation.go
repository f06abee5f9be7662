package newinstance

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// mysqlDefaultCharset and mysqlDefaultCollation are Trove's, for a database that names neither.
const (
	mysqlDefaultCharset   = "utf8mb3"
	mysqlDefaultCollation = "utf8mb3_general_ci"
)

//go:embed collations.txt
var collationsText string

// anyUnicode is the key of the collations that all Unicode character sets have.
const anyUnicode = "*"

var unicodeCharsets = []string{"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"}

// collations are by character set. The table is read at its first use: most databases are created without naming one.
var collations = sync.OnceValue(func() map[string][]string {
	table := map[string][]string{}
	for line := range strings.Lines(collationsText) {
		if words := strings.Fields(line); words[0] != "#" {
			table[words[0]] = words[1:]
		}
	}
	return table
})

func (mysql) charset(charset, collate string) (string, string, error) {
	if charset == "" && collate == "" {
		return mysqlDefaultCharset, mysqlDefaultCollation, nil
	}
	charset, collate = modern(strings.ToLower(charset)), modern(strings.ToLower(collate))
	if _, known := collations()[charset]; charset != "" && (!known || charset == anyUnicode) {
		return "", "", refused("CHARACTER_SET", "'%s' not a valid character set.", charset)
	}
	if collate == "" {
		return charset, "", nil
	}
	of := charsetsOf(collate)
	if len(of) == 0 {
		return "", "", refused("COLLATION", "'%s' not a valid collation.", collate)
	}
	if charset == "" {
		return of[0], collate, nil
	}
	if !slices.Contains(of, charset) {
		return "", "", refused("COLLATION", "'%s' not a valid collation for character set '%s'.", collate, charset)
	}
	return charset, collate, nil
}

// charsetsOf are the character sets that have the collation; utf8mb4 comes first where all of Unicode do.
func charsetsOf(collate string) []string {
	table := collations()
	if slices.Contains(table[anyUnicode], collate) {
		return []string{"utf8mb4", "utf8mb3", "ucs2", "utf16", "utf32"}
	}
	for _, charset := range unicodeCharsets {
		if rest, cut := strings.CutPrefix(collate, charset+"_"); cut && slices.Contains(table[anyUnicode], rest) {
			return []string{charset}
		}
	}
	for charset, names := range table {
		if slices.Contains(names, collate) {
			return []string{charset}
		}
	}
	return nil
}

// modern writes the old name utf8 as what it stands for, in a character set or at the head of a collation.
func modern(name string) string {
	if name == "utf8" || strings.HasPrefix(name, "utf8_") {
		return "utf8mb3" + strings.TrimPrefix(name, "utf8")
	}
	return name
}
