package e2e_test

import (
	"bytes"
	"strings"
	"sync"
)

// transcript keeps what a program wrote and tells when a text appears in it.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	waiting map[chan struct{}]string
}

func newTranscript() *transcript {
	return &transcript{waiting: map[chan struct{}]string{}}
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	for channel, wanted := range o.waiting {
		if strings.Contains(o.text.String(), wanted) {
			close(channel)
			delete(o.waiting, channel)
		}
	}
	return n, err
}

// appeared is closed as soon as the text has been written.
func (o *transcript) appeared(wanted string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	channel := make(chan struct{})
	if strings.Contains(o.text.String(), wanted) {
		close(channel)
		return channel
	}
	o.waiting[channel] = wanted
	return channel
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *transcript) tail(lines int) string {
	all := strings.Split(strings.TrimRight(o.String(), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}
