package transfer

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

const (
	// greeting tells what is spoken; the length of the word follows in one byte, then the word.
	greeting = "coffer copy 1\n"
	// largestFrame bounds what the reader must believe.
	largestFrame = 1 << 20
	// chunk is how much goes into a frame at most.
	chunk = 64 << 10
	// frameHead is the length in front of a frame.
	frameHead = 4
	// patience is how long the other side may be silent, or take nothing.
	patience = time.Minute
)

// The byte behind a length of zero.
const (
	failed byte = 0
	whole  byte = 1
)

// errCut is the one error of a copy that did not come to its end.
func errCut(cause error) error {
	return errs.New(errs.Unavailable, "COPY_CUT", "The copy was cut.").Because(cause)
}

var errSourceFailed = errors.New("the source could not make the copy")

// patient is a connection whose other side must do something within the patience.
type patient struct{ net.Conn }

func (p patient) Read(into []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return p.Conn.Read(into)
}

func (p patient) Write(data []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return p.Conn.Write(data)
}

// frames writes what it gets as frames. An agent has little memory, so one buffer serves a whole copy.
type frames struct {
	to     io.Writer
	buffer []byte
}

func newFrames(to io.Writer) *frames { return &frames{to, make([]byte, frameHead+chunk)} }

func (f *frames) Write(data []byte) (written int, err error) {
	for len(data) > 0 {
		n := copy(f.buffer[frameHead:], data)
		binary.BigEndian.PutUint32(f.buffer, uint32(n)) //nolint:gosec // at most chunk
		if _, err := f.to.Write(f.buffer[:frameHead+n]); err != nil {
			return written, err
		}
		written += n
		data = data[n:]
	}
	return written, nil
}

func (f *frames) end(how byte) error {
	_, err := f.to.Write([]byte{0, 0, 0, 0, how})
	return err
}

// unframed reads what frames wrote; io.EOF only when the copy is whole.
type unframed struct {
	from io.Reader
	// left is what has not been read of the frame.
	left  uint32
	ended error
}

func (u *unframed) Read(into []byte) (int, error) {
	for u.left == 0 && u.ended == nil {
		u.next()
	}
	if u.ended != nil {
		return 0, u.ended
	}
	n, err := u.from.Read(into[:min(len(into), int(u.left))])
	u.left -= uint32(n) //nolint:gosec // at most left
	if err != nil {
		u.ended = errCut(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, u.ended
}

func (u *unframed) next() {
	var head [frameHead]byte
	if _, err := io.ReadFull(u.from, head[:]); err != nil {
		u.ended = errCut(err)
		return
	}
	u.left = binary.BigEndian.Uint32(head[:])
	switch {
	case u.left > largestFrame:
		u.ended = errCut(errors.New("a frame is too large"))
	case u.left == 0:
		u.ended = u.last()
	}
}

func (u *unframed) last() error {
	var how [1]byte
	if _, err := io.ReadFull(u.from, how[:]); err != nil {
		return errCut(err)
	}
	if how[0] != whole {
		return errCut(errSourceFailed)
	}
	return io.EOF
}
