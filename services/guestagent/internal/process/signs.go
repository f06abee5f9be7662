package process

import (
	"errors"
	"fmt"

	"github.com/fsnotify/fsnotify"
)

// signs tells of changes in a folder; nil sees none.
type signs struct{ watcher *fsnotify.Watcher }

func watchFolder(path string) (*signs, error) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(path); err != nil {
			err = errors.Join(err, watcher.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	return &signs{watcher}, nil
}

func (s *signs) seen() <-chan fsnotify.Event {
	if s == nil {
		return nil
	}
	return s.watcher.Events
}

func (s *signs) close() {
	if s != nil {
		_ = s.watcher.Close() // it only read
	}
}
