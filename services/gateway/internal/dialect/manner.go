package dialect

// manner is how an API says no, and the little else in which the three differ. It follows from method and path alone,
// so that it is known before anything can go wrong.
type manner interface {
	// fault writes a fault: its code may be another one than Trove's.
	fault(f *fault) (code int, body []byte)
	// takesUntyped says whether a body without a media type is taken for JSON.
	takesUntyped() bool
}

// mannerOf is the manner of a path: DDM's under /v1 and /v3, DMS's for its one call, else Trove's.
func mannerOf(method string, segments []string) manner {
	switch {
	case isDDM(segments):
		return ddm{}
	case isDMS(method, segments):
		return dms{}
	}
	return trove{}
}

// trove is the manner of most.
type trove struct{}

func (trove) fault(f *fault) (int, []byte) { return f.code, f.body() }

// takesUntyped: as in Trove's own server a body without a type counts as text.
func (trove) takesUntyped() bool { return false }
