package dialect

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// place is a position in a body: the member name, or the index of a list, below a parent.
type place struct {
	parent *place
	name   string
	index  int
}

func (p *place) member(name string) *place { return &place{parent: p, name: name} }

func (p *place) element(index int) *place { return &place{parent: p, index: index} }

// String writes a position as Trove does: instance['volume']['size'].
func (p *place) String() string {
	switch {
	case p == nil:
		return ""
	case p.name == "":
		return fmt.Sprintf("%s[%d]", p.parent, p.index)
	case p.parent == nil:
		return p.name
	}
	return fmt.Sprintf("%s['%s']", p.parent, p.name)
}

// complaints gathers what is wrong with a body, in Trove's words.
type complaints struct {
	sentences []string
}

// maxComplaints bounds an answer about a body that is wrong all over.
const maxComplaints = 10

func (c *complaints) add(at *place, format string, args ...any) {
	if len(c.sentences) == maxComplaints {
		return
	}
	sentence := fmt.Sprintf(format, args...)
	if at != nil {
		sentence = at.String() + " " + sentence
	}
	c.sentences = append(c.sentences, sentence)
}

// fault is nil when nothing is wrong.
func (c *complaints) fault() *fault {
	if len(c.sentences) == 0 {
		return nil
	}
	return badRequest("Validation error: " + strings.Join(c.sentences, "; "))
}

// maxShown bounds how much of a wrong value is repeated, in runes.
const maxShown = 60

// show writes a wrong value as Trove does, which is as Python does. Lists and objects are not repeated: they may hold
// a password.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return shorten(v.String())
	case string:
		return "'" + shorten(v) + "'"
	case []any:
		return "a list"
	}
	return "an object"
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return string([]rune(s)[:maxShown]) + "…"
}

// nameOf quotes a member name that the client made up, as show does a value.
func nameOf(name string) string {
	quoted := strconv.Quote(shorten(name))
	return "'" + quoted[1:len(quoted)-1] + "'"
}
